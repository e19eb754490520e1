"""Fetches the OHIF viewer through npm and lays it out for the Consumer: `make viewer`.

The published package holds the application already built, for the root of a server: nothing is
compiled here, none of its dependencies is installed, no script of it is run. What is written is
the same application under `/ohif/`, as a build with that PUBLIC_URL would be, each large text also
compressed. The AI models' runtime and the source maps, two thirds of the whole, are left out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
PACKAGE = "@ohif/app"
ADDRESS = "/ohif/"
LEFT_OUT = frozenset({"ort"})
"""Runtime of segmentation models that the viewer would fetch from elsewhere."""
COMPRESSED = (".js", ".css", ".wasm", ".svg")
SMALLEST = 10_000
FROM_ROOT = re.compile(rb'(?<=(?:src|ref)=")/|(?<=content=")/(?=assets/)')
PUBLIC_PATH = re.compile(rb'__webpack_require__\.p = "/";')


class BuildError(Exception):
    """What is missing or wrong. French."""


def build(into: Path) -> None:
    """The viewer in `into`, which is replaced once everything is there.

    Raises:
        BuildError: no npm, no such package, or another content than was pinned.
    """
    pinned = json.loads((HERE / "package.json").read_text())
    version, integrity = pinned["dependencies"][PACKAGE], pinned["integrity"][PACKAGE]
    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        archive = fetched(version, Path(scratch))
        check(archive, integrity)
        laid = Path(scratch) / "dist"
        for name, data in members(archive):
            lay(laid / name, data)
        if not (laid / "index.html").is_file():
            raise BuildError(f"{PACKAGE} {version} ne contient pas d'application construite")
        shutil.rmtree(into, ignore_errors=True)
        laid.rename(into)


def fetched(version: str, into: Path) -> Path:
    """The package's archive, by npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError(
            "npm est absent : installez Node.js, ou passez-vous de cette visionneuse "
            "(celle du Consumer n'en a pas besoin)"
        )
    command = [npm, "pack", "--silent", "--ignore-scripts", f"{PACKAGE}@{version}"]
    done = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
    found = sorted(into.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BuildError(f"npm n'a pas pu obtenir {PACKAGE} {version} : {(said or ['?'])[-1]}")
    return found[0]


def check(archive: Path, integrity: str) -> None:
    """Whether the archive is the one that package.json pins."""
    algorithm, _, expected = integrity.partition("-")
    with archive.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, algorithm).digest()).decode()
    if found != expected:
        raise BuildError(f"{PACKAGE} : empreinte {expected} attendue, {found} trouvée")


def members(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The files of the application, and its licence."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            file = tar.extractfile(member) if member.isreg() else None
            if file is None or path.is_absolute() or ".." in path.parts:
                continue
            if path.parts[1:] == ("LICENSE",):
                yield PurePosixPath("LICENSE"), file.read()
            elif path.parts[1:2] == ("dist",) and path.suffix != ".map":
                inner = PurePosixPath(*path.parts[2:])
                if inner.parts[0] not in LEFT_OUT:
                    yield inner, file.read()


def lay(path: Path, data: bytes) -> None:
    """One file, its addresses under `/ohif/`."""
    address = ADDRESS.encode()
    if path.name == "index.html":
        data = data.replace(b'PUBLIC_URL="/"', b'PUBLIC_URL="' + address + b'"')
        data = FROM_ROOT.sub(address, data)
    elif path.suffix == ".css":
        data = data.replace(b"url(/", b"url(" + address)
    elif path.suffix == ".js":
        data = PUBLIC_PATH.sub(b'__webpack_require__.p = "' + address + b'";', data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if path.suffix in COMPRESSED and len(data) >= SMALLEST:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 6, mtime=0))


def main() -> int:
    """Build it beside this file."""
    into = HERE / "dist"
    try:
        build(into)
    except BuildError as error:
        sys.stderr.write(f"make viewer : {error}.\n")
        return 1
    sys.stdout.write(f"OHIF est dans {into} : [viewer] folder = … du Consumer.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
