"""What an image may lose or gain on its way to the local PACS, and what it may not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.cases import mint
from bench.imagery import alterations, export_alterations, files_of
from bench.story import PlannedExam, people_of, plan_exam
from protocols.dicom import (
    Part10,
    build_part10,
    encode_element,
    implicit_from_explicit,
    replace_elements,
    split_part10,
)
from simulators import pacs
from simulators.pacs import Pacs, PacsConfig
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from wire.exchange import ignore

ROOT = "1.2.250.1.999"
CASE = mint("SCN-ESSAI", 1, now=datetime(2026, 11, 22, tzinfo=UTC))
PATIENT = people_of(CASE, ROOT)


def planned() -> PlannedExam:
    return plan_exam(
        CASE, 1, ROOT, ROOT,
        modality="CT", series=1, images=1, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
    )  # fmt: skip


@pytest.fixture(scope="module")
def image() -> Part10:
    (files,) = files_of(planned(), PATIENT).values()
    return split_part10(files[0])


@pytest.fixture
def archive(image: Part10) -> Pacs:
    """The PACS where the image was made; it never listens."""
    made = pacs.build(PacsConfig(), ignore)
    made.load(written(image))
    return made


def written(image: Part10, **elements: tuple[int, str, str]) -> bytes:
    """The image as a file, elements changed."""
    return build_part10(
        sop_class=image.sop_class,
        sop_instance=image.sop_instance,
        transfer_syntax=image.transfer_syntax,
        dataset=replace_elements(
            image.dataset,
            transfer_syntax=image.transfer_syntax,
            elements={
                tag: encode_element(tag, vr, value.encode(), implicit=False)
                for tag, vr, value in elements.values()
            },
        ),
    )


IPP = (0x00100020, "LO", "IPL1")
NAME = (0x00100010, "PN", "KIT^AUTRE")
ACCESSION = (0x00080050, "SH", "AUTRE")


def test_nothing_differs(image: Part10, archive: Pacs) -> None:
    assert export_alterations(written(image), archive, image.sop_instance) == ""


def test_the_local_identifier_is_the_importer_s_to_write(image: Part10, archive: Pacs) -> None:
    exported = written(image, ipp=IPP)
    assert export_alterations(exported, archive, image.sop_instance) == ""
    assert "(0010,0020)" in alterations(exported, archive, image.sop_instance)


@pytest.mark.parametrize(("element", "tag"), [(NAME, "(0010,0010)"), (ACCESSION, "(0008,0050)")])
def test_any_other_change_is_named(
    image: Part10, archive: Pacs, element: tuple[int, str, str], tag: str
) -> None:
    exported = written(image, ipp=IPP, other=element)
    assert tag in export_alterations(exported, archive, image.sop_instance)


def test_another_encoding_of_the_same_is_no_change(image: Part10, archive: Pacs) -> None:
    exported = build_part10(
        sop_class=image.sop_class,
        sop_instance=image.sop_instance,
        transfer_syntax=IMPLICIT_VR_LITTLE_ENDIAN,
        dataset=implicit_from_explicit(image.dataset),
    )
    assert export_alterations(exported, archive, image.sop_instance) == ""


def test_an_image_from_nowhere_is_said_so(image: Part10, archive: Pacs) -> None:
    assert "n'est pas dans le PACS" in export_alterations(written(image), archive, "2.25.1")
