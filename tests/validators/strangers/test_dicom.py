"""dciodvfy (attributes of the object) and DicomSRValidator (its template) judge our documents.

Neither sees everything, and each sees what the other does not: the table at the end says what.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from protocols.kos import Code
from tests.alterations import dicom
from tests.validators.strangers.model import disagreements, noticed, program
from tests.validators.strangers.pixelmed import complaints
from validators.api import KINDS
from validators.examples import kos as example

pytestmark = pytest.mark.interop

KEY_OBJECTS = ("kos", "iocm")

MEANING = "0008,0104 changé"
"""Of a Code Meaning, only DicomSRValidator wants the words of its own table.

PS3.3 8.3: a concept is identified by its Code Value and Coding Scheme Designator; Code Meaning is
for people, may be in their language, and is no basis for a decision. We want it there (KOS-020).
"""


def _dciodvfy(data: bytes, folder: Path) -> list[str]:
    path = folder / f"{hash(data):x}.dcm"
    path.write_bytes(data)
    done = subprocess.run(
        [program("dciodvfy"), str(path)], capture_output=True, timeout=60, check=False
    )
    path.unlink()
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.parametrize("kind", KEY_OBJECTS)
def test_dciodvfy_accepts_our_documents(tmp_path: Path, kind: str) -> None:
    assert _dciodvfy(KINDS[kind].rules.good(), tmp_path) == []


def test_pixelmed_accepts_our_documents(tmp_path: Path) -> None:
    documents = [KINDS[kind].rules.good() for kind in KEY_OBJECTS]
    assert complaints(documents, tmp_path) == [[] for _ in documents]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KEY_OBJECTS)
def test_what_dciodvfy_refuses_we_refuse(tmp_path: Path, kind: str) -> None:
    different = disagreements(
        dicom.alterations(KINDS[kind].rules.good()),
        refuses=lambda data: bool(_dciodvfy(data, tmp_path)),
        accepted=lambda data: not noticed(data, kind),
    )
    assert different == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KEY_OBJECTS)
def test_what_pixelmed_refuses_we_refuse(tmp_path: Path, kind: str) -> None:
    altered = list(dicom.alterations(KINDS[kind].rules.good()))
    said = complaints([one.data for one in altered], tmp_path)
    refused = [one for one, lines in zip(altered, said, strict=True) if lines]
    assert len(refused) > 20
    different = {one.name for one in refused if not noticed(one.data, kind)}
    assert {name for name in different if not name.endswith(MEANING)} == set()
    # The difference is real: without it, the reason above would excuse nothing.
    assert different


OTHER_TITLE = {"title": (Code("113000", "DCM", "Of Interest"),)}


def _altered(name: str) -> bytes:
    """One of the alterations of the good manifest."""
    return next(one.data for one in dicom.alterations(example.kos()) if one.name == name)


@pytest.mark.parametrize(
    ("altered", "attributes", "template"),
    [
        pytest.param(lambda: example.kos(**OTHER_TITLE), False, False, id="titre d'un autre usage"),
        *(
            pytest.param(partial(_altered, name), attributes, template, id=name)
            for name, attributes, template in [
                ("0040,A043[1]/0008,0100 changé", False, True),  # a title of no key object
                ("0040,A730 retiré", False, True),
                ("0040,A730[3]/0040,A043[1]/0008,0100 changé", False, True),
                ("0040,A730[1]/0040,A010 changé", False, True),
                ("0040,A375 retiré", True, False),
                ("0008,0060 changé", True, False),
                ("0008,1111 retiré", True, False),
                ("0040,A504 retiré", False, False),
                ("0008,0201 retiré", False, False),  # of the French profile
            ]
        ),
    ],
)
def test_who_sees_what(
    tmp_path: Path, altered: Callable[[], bytes], attributes: bool, template: bool
) -> None:
    """We see every line of the table: we are the echo of neither."""
    data = altered()
    assert noticed(data, "kos")
    assert bool(_dciodvfy(data, tmp_path)) is attributes
    assert bool(complaints([data], tmp_path)[0]) is template
