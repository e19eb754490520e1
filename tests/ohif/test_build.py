"""Laying out the published package: addresses, what is left out, what is refused."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import io
import json
import os
import stat
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
BIG = b"/* " + b"x" * 20_000 + b' */ __webpack_require__.p = "/"; let a = "/";'
FILES = {
    "package/LICENSE": b"MIT",
    "package/src/index.js": b"source",
    "package/dist/index.html": b'<script>window.PUBLIC_URL="/"</script>'
    b'<script src="/app-config.js"></script><link href="/assets/a.ico"><a href="https://x/">',
    "package/dist/app.js": BIG,
    "package/dist/app.js.map": b"map",
    "package/dist/app.css": b"a{src:url(/f.woff2)}",
    "package/dist/ort/ort.js": b"runtime",
    "package/../../escaped.js": b"out",
}


@pytest.fixture
def build() -> ModuleType:
    found = importlib.util.spec_from_file_location("ohif_build", ROOT / "ohif" / "build.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("package/dist/link.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return buffer.getvalue()


@pytest.fixture
def npm(archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: ModuleType) -> Path:
    """An npm that gives that archive, pinned in a package.json of its own."""
    programs, here = tmp_path / "bin", tmp_path / "here"
    programs.mkdir()
    here.mkdir()
    (tmp_path / "package.tgz").write_bytes(archive)
    program = programs / "npm"
    program.write_text(f'#!/bin/sh\n/bin/cp "{tmp_path}/package.tgz" "$PWD/got.tgz"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(programs))
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    pinned = {
        "dependencies": {"@ohif/app": "1.0.0"},
        "integrity": {"@ohif/app": f"sha512-{digest}"},
    }
    (here / "package.json").write_text(json.dumps(pinned))
    monkeypatch.setattr(build, "HERE", here)
    return here


def test_the_application_is_laid_out_under_its_address(npm: Path, build: ModuleType) -> None:
    into = npm / "dist"
    into.mkdir()
    (into / "former.js").write_text("gone")
    build.build(into)
    found = sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file())
    assert found == ["LICENSE", "app.css", "app.js", "app.js.gz", "index.html"]
    page = (into / "index.html").read_text()
    assert 'PUBLIC_URL="/ohif/"' in page
    assert 'src="/ohif/app-config.js"' in page
    assert 'href="/ohif/assets/a.ico"' in page
    assert 'href="https://x/"' in page
    script = (into / "app.js").read_bytes()
    assert script == BIG.replace(b'.p = "/"', b'.p = "/ohif/"')
    assert gzip.decompress((into / "app.js.gz").read_bytes()) == script
    assert b"url(/ohif/f.woff2)" in (into / "app.css").read_bytes()
    assert sorted(os.listdir(npm)) == ["dist", "package.json"]


def test_another_content_than_was_pinned_is_refused(npm: Path, build: ModuleType) -> None:
    (npm.parent / "package.tgz").write_bytes(b"something else")
    with pytest.raises(build.BuildError, match=r"empreinte .* attendue"):
        build.build(npm / "dist")
    assert not (npm / "dist").exists()


def test_without_npm_one_sentence(
    npm: Path,
    build: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(npm))
    assert build.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("make viewer : npm est absent")


def test_the_versions_are_pinned_without_an_address() -> None:
    text = (ROOT / "ohif" / "package.json").read_text()
    assert set(json.loads(text)["dependencies"]) == set(json.loads(text)["integrity"])
    assert "http" not in text
