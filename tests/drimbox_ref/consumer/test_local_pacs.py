"""What leaves for a local PACS that does not take images as their Source gave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drimbox_ref.consumer.config import LocalPacs
from drimbox_ref.consumer.local_pacs import DimseLocalPacs
from drimbox_ref.consumer.values import ExportFailed, Failure, Received
from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.values import StoredObject
from protocols.dicom import split_part10
from simulators.pacs import Pacs, PacsConfig, build
from simulators.pacs.faults import NEGOTIATION
from tests.drimbox_ref.source.test_transcoder import (
    EXPLICIT,
    J2K_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    MPEG4,
    image,
    stored_of,
)
from wire.exchange import ignore


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    with build(PacsConfig(ae_title="LOCAL"), ignore) as one:
        yield one


@pytest.fixture(scope="module")
def original() -> StoredObject:
    values = np.random.default_rng(7).integers(0, 1 << 12, (1, 40, 48, 1)).astype("<u2")
    made = image(values, stored=12)
    made.PatientID, made.StudyInstanceUID, made.SeriesInstanceUID = "KIT", "1.2.1", "1.2.2"
    return stored_of(made)


def sent(pacs: Pacs, images: Sequence[StoredObject]) -> list[str]:
    """The SOPInstanceUIDs that the PACS acknowledged."""
    local = DimseLocalPacs(
        [
            LocalPacs(
                name="LOCAL",
                ae_title="LOCAL",
                host=pacs.host,
                port=pacs.port,
                calling_ae="CONSUMER",
            )
        ],
        timeout_s=30,
    )
    data = {one.sop_instance: one.data for one in images}
    received = [
        Received(
            path=Path(),
            sop_class=one.sop_class,
            sop_instance=one.sop_instance,
            transfer_syntax=one.transfer_syntax,
            size=len(one.data),
        )
        for one in images
    ]
    acknowledged: list[str] = []
    local.store(
        received,
        lambda one: data[one.sop_instance],
        lambda one: acknowledged.append(one.sop_instance),
        to="LOCAL",
    )
    return acknowledged


@pytest.mark.parametrize("syntax", LOSSLESS[:3])
def test_what_is_refused_as_it_is_leaves_uncompressed(
    syntax: str, pacs: Pacs, original: StoredObject
) -> None:
    compressed = PixelTranscoder().transcode(original, (syntax,))
    assert compressed.transfer_syntax == syntax
    pacs.faults.set("sans-compression", NEGOTIATION, {})
    assert sent(pacs, [compressed]) == [original.sop_instance]
    (held,) = pacs.instances()
    assert split_part10(held.file()).transfer_syntax == EXPLICIT
    assert held.dataset() == original.data


def test_what_is_taken_as_it_is_leaves_as_it_is(pacs: Pacs, original: StoredObject) -> None:
    compressed = PixelTranscoder().transcode(original, (JPEG_LS,))
    sent(pacs, [compressed])
    (held,) = pacs.instances()
    assert held.transfer_syntax == JPEG_LS
    assert held.dataset() == compressed.data


def test_nothing_leaves_when_one_syntax_can_neither_be_taken_nor_undone(
    pacs: Pacs, original: StoredObject
) -> None:
    film = replace(original, sop_instance="1.2.3.5", transfer_syntax=MPEG4)
    pacs.faults.set("sans-compression", NEGOTIATION, {})
    with pytest.raises(ExportFailed, match=f"{MPEG4}, que rien ici ne décompresse") as found:
        sent(pacs, [original, film])
    assert found.value.failure is Failure.LOCAL_PACS
    assert pacs.count() == 0


def test_a_damaged_image_is_said_to_be_unreadable(pacs: Pacs, original: StoredObject) -> None:
    compressed = PixelTranscoder().transcode(original, (J2K_LOSSLESS,))
    damaged = compressed.data.replace(b"\xff\x4f\xff\x51", b"\0\0\0\0")
    pacs.faults.set("sans-compression", NEGOTIATION, {})
    with pytest.raises(ExportFailed, match="il ne prend que des images décompressées"):
        sent(pacs, [replace(compressed, data=damaged)])
    assert pacs.count() == 0


def test_nothing_is_not_stored_with_success(pacs: Pacs) -> None:
    with pytest.raises(ExportFailed, match="vide"):
        sent(pacs, ())
