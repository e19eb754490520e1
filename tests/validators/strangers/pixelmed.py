"""PixelMed's DicomSRValidator: a structured report against its root template (PS3.16 TID 2010).

Its style sheets take seconds to load, and then judge a document in a fifth of one: one Java
machine, in a process of its own, judges them all. Debian packages it as `libpixelmed-java`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

__all__ = ["complaints"]

JAR = Path("/usr/share/java/pixelmed.jar")
_OPTIONS = (
    # Its style sheets are larger than the XPath limits that Java has had since 2021.
    "-Djdk.xml.xpathTotalOpLimit=0",
    "-Djdk.xml.xpathExprOpLimit=0",
    "-Djdk.xml.xpathExprGrpLimit=0",
    # A document that names a DTD or a style sheet elsewhere gets none.
    "-Djavax.xml.accessExternalDTD=",
    "-Djava.awt.headless=true",
)
_NO_JAVA = 3
_ROUTINE = frozenset(
    {
        "Found KeyObjectSelectionDocument IOD",
        "Found Root Template TID_2010 (KeyObjectSelection)",
        "Root Template Validation Complete",
        "IOD validation complete",
    }
)
"""What it says of every document that it has nothing to say about."""


def complaints(documents: Sequence[bytes], folder: Path) -> list[list[str]]:
    """What it reproaches each document with, in their order; skips by the name of what lacks."""
    if not JAR.is_file():
        pytest.skip("programme absent : DicomSRValidator (paquet Debian libpixelmed-java)")
    if importlib.util.find_spec("jpype") is None:
        pytest.skip("bibliothèque absente : jpype1 (extra interop)")
    for rank, data in enumerate(documents):
        (folder / f"{rank}.dcm").write_bytes(data)
    done = subprocess.run(
        [sys.executable, __file__, str(folder), str(len(documents))],
        capture_output=True,
        timeout=600,
        check=False,
    )
    if done.returncode == _NO_JAVA:
        pytest.skip("programme absent : java (bibliothèque libjvm)")
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    said: list[str] = json.loads(done.stdout)
    return [[line for line in text.splitlines() if line not in _ROUTINE] for text in said]


def main(folder: str, count: str) -> int:
    """Judge the files `0.dcm`, `1.dcm`… of a folder; one text each, as a JSON array."""
    import jpype

    try:
        jpype.startJVM(*_OPTIONS, classpath=[str(JAR)], convertStrings=True)
    except jpype.JVMNotFoundException:
        return _NO_JAVA
    validator = jpype.JClass("com.pixelmed.validate.DicomSRValidator")()
    said = []
    for rank in range(int(count)):
        try:
            said.append(str(validator.validate(str(Path(folder, f"{rank}.dcm")))))
        except jpype.JException as error:
            said.append(f"{error}")
    sys.stdout.write(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
