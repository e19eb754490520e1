"""The KOS that the Source published, read by people who have never heard of DRIM-M."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from load.benchmarks.workbench import PublishedSeries
from tests.interop.conftest import run

pytestmark = pytest.mark.interop


def test_dciodvfy_finds_no_error(kos_file: Path) -> None:
    text = run("dciodvfy", kos_file).text
    assert "KeyObjectSelectionDocument" in text
    assert [line for line in text.splitlines() if line.startswith("Error")] == []


def test_dcmtk_reads_a_key_object_document(kos_file: Path, series: PublishedSeries) -> None:
    done = run("dsrdump", "+Pu", "+Pc", "+Pl", kos_file)
    assert done.code == 0, done.text
    assert "Key Object Selection Document" in done.text
    assert "113030" in done.text  # Manifest, DCM (PS3.16 CID 7010)
    for image in series.imaging.manifest.instances():
        assert image.sop_instance in done.text


def test_highdicom_resolves_every_reference(kos_file: Path, series: PublishedSeries) -> None:
    ko = pytest.importorskip("highdicom.ko", reason="paquet absent : highdicom (extra interop)")
    document = ko.KeyObjectSelectionDocument.from_dataset(dcmread(kos_file))
    exam = series.exam
    images = series.imaging.manifest.instances()
    assert len(images) == exam.images
    assert {document.resolve_reference(image.sop_instance) for image in images} == {
        (exam.study_uid, exam.series[0].uid, image.sop_instance) for image in images
    }
