"""The official samples: no error, and the warnings that they are known to deserve."""

from __future__ import annotations

from pathlib import Path

import pytest

from validators.api import Context, guess, validate
from validators.finding import Severity

SAMPLES = Path(__file__).parents[2].parent / "shared/reference/ans-demonstrator-samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="../shared/reference n'est pas là : échantillons absents"
)


def rules(path: str, severity: Severity, context: Context | None = None) -> set[str]:
    report = validate((SAMPLES / path).read_bytes(), context=context)
    return {found.rule for found in report.findings if found.severity is severity}


def test_kos_has_no_error() -> None:
    assert rules("KOS/ko.dcm", Severity.ERROR) == set()


def test_kos_deserves_its_warnings() -> None:
    warned = rules("KOS/ko.dcm", Severity.WARNING)
    # No ContentTemplateSequence, implicit VR, addresses on localhost.
    assert {"KOS-008", "KOS-016", "KOS-063"} <= warned


def test_publication_has_no_error() -> None:
    assert rules("XDS/publication.xml", Severity.ERROR) == set()


def test_publication_deserves_its_warnings() -> None:
    warned = rules("XDS/publication.xml", Severity.WARNING)
    # referenceIdList behind the classifications, the placeholder authority, RSA-SHA1 twice.
    assert {"XDS-027", "XDS-084", "XDS-113", "VIHF-010"} <= warned
    # What its masking and its re-indentation prevent is said rather than passed over.
    assert {"XDS-007", "XDS-114", "VIHF-009"} <= warned


def test_publication_is_refused_by_the_strict_reading() -> None:
    strict = rules("XDS/publication.xml", Severity.ERROR, Context(strict=True))
    assert {"XDS-027", "XDS-084", "XDS-007"} <= strict


def test_answer_has_no_error() -> None:
    assert guess((SAMPLES / "XDS/response.xml").read_bytes()) == "registry-response"
    assert rules("XDS/response.xml", Severity.ERROR) == set()


def test_answer_deserves_its_warning() -> None:
    # Its part headers have lost their line ends.
    assert rules("XDS/response.xml", Severity.WARNING) == {"REG-105"}


REPORT = "CDA/IMG_CR_IMG_2023.11_CDA-R2-Niveau-1.xml"


def test_report_has_no_error() -> None:
    assert guess((SAMPLES / REPORT).read_bytes()) == "cda"
    assert rules(REPORT, Severity.ERROR) == set()


def test_report_deserves_its_warnings() -> None:
    # No first given name apart, an act coded otherwise than it is announced (24978-9, 24979-7),
    # a PDF 1.7 that claims no PDF/A, no link to the images. Its level 3 templateIds are in a
    # comment: they do not count.
    assert rules(REPORT, Severity.WARNING) == {"CDA-025", "CDA-070", "CDA-084", "CDA-087"}


def test_report_is_refused_by_the_strict_reading() -> None:
    assert rules(REPORT, Severity.ERROR, Context(strict=True)) == {"CDA-025", "CDA-084"}
