"""A Source in its own process before a PACS: who decides the syntax, and who stops the transfer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from drimbox_ref.source.transcoder import PixelTranscoder
from protocols.dicom import build_part10, split_part10
from spec.wado import KOS_HEADER
from tests.drimbox_ref.source.bed import BASE, HOST, Bed, image, parts, publish, running
from tests.drimbox_ref.source.test_transcoder import JPEG_LS, stored_in
from wire.exchange import Outcome
from wire.http_client import HttpClient
from wire.tls import ClientTls

IMAGES = 40
ROOT = "1.2.250.1.999.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
J2K_LOSSLESS = "1.2.840.10008.1.2.4.90"


class ByGet(Bed):
    """Images are asked for by C-GET."""

    def configuration(self) -> dict[str, Any]:
        found = super().configuration()
        found["pacs"][0]["retrieve"] = "c-get"
        return found


class ByWeb(Bed):
    """Images are asked for by WADO-RS."""

    async def start(self) -> None:
        await super().start()
        self.web = await self.pacs.start_web()

    async def stop(self) -> None:
        await self.pacs.stop_web()
        await super().stop()

    def configuration(self) -> dict[str, Any]:
        found = super().configuration()
        found["pacs"][0] |= {"retrieve": "wado-rs", "dicomweb": self.web}
        return found


@pytest.fixture(scope="module", params=[Bed, ByGet, ByWeb], ids=["c-move", "c-get", "wado-rs"])
def bed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Bed]:
    with running(tmp_path_factory.mktemp("bed"), request.param) as made:
        yield made


def accept(syntax: str, q: float) -> str:
    return f'multipart/related; type="application/dicom"; transfer-syntax={syntax}; q={q}'


def load_compressed(bed: Bed, study: str, syntax: str, count: int = 3, side: int = 32) -> None:
    for number in range(1, count + 1):
        native = stored_in(image(study, 1, number, side=side))
        made = PixelTranscoder().transcode(native, (syntax,))
        bed.pacs.load(
            build_part10(
                sop_class=made.sop_class,
                sop_instance=made.sop_instance,
                transfer_syntax=made.transfer_syntax,
                dataset=made.data,
            )
        )


@pytest.mark.parametrize(
    ("number", "held", "accepts", "given"),
    [
        (1, JPEG_LS, ((JPEG_LS, 0.9), (EXPLICIT, 0.4)), JPEG_LS),
        (2, JPEG_LS, ((JPEG_LS, 0.4), (EXPLICIT, 0.9)), EXPLICIT),
        (3, J2K_LOSSLESS, ((JPEG_LS, 0.9), (EXPLICIT, 0.4)), JPEG_LS),
        (4, J2K_LOSSLESS, (("*", 1.0),), J2K_LOSSLESS),
    ],
)
def test_the_pacs_is_asked_first_and_the_rest_transcoded(
    bed: Bed,
    number: int,
    held: str,
    accepts: tuple[tuple[str, float], ...],
    given: str,
) -> None:
    study = f"{ROOT}.{number}"
    load_compressed(bed, study, held)
    kos = publish(bed, study, f"S{number}")
    response = bed.wado(
        f"/studies/{study}/series/{study}.1",
        kos=kos,
        token=bed.token(),
        accept=tuple(accept(*one) for one in accepts),
    )
    assert response.status == 200, response.body[:300]
    files = [split_part10(data) for _, data in parts(response)]
    assert [file.transfer_syntax for file in files] == [given] * 3


def test_a_pacs_that_refuses_for_want_of_images_is_not_one_that_is_broken(bed: Bed) -> None:
    """Orthanc answers C-MOVE by C000 when it has nothing left to send."""
    study = f"{ROOT}.7"
    bed.load(study, series=1, instances=2)
    kos = publish(bed, study, "S7")

    def asked() -> int:
        path = f"/studies/{study}/series/{study}.1"
        status: int = bed.wado(path, kos=kos, token=bed.token()).status
        return status

    for service in ("C-MOVE", "C-GET"):
        bed.pacs.faults.set("statut", service, statut=0xC000)
    try:
        if not isinstance(bed, ByWeb):  # whose images are asked for by neither
            assert asked() == 502
        bed.pacs.remove(study=study)
        assert asked() == 410
    finally:
        bed.pacs.faults.clear()


def test_a_client_that_leaves_stops_the_pacs(bed: Bed) -> None:
    """By C-CANCEL, or by the end of the connection, long before the last of its images."""
    study = f"{ROOT}.9"
    bed.load(study, series=1, instances=IMAGES, side=512)
    kos = publish(bed, study, "S9")
    before = len(bed.exchanges)
    headers = [("Authorization", f"Bearer {bed.token()}"), (KOS_HEADER, kos)]

    async def leave() -> int:
        """One piece of the answer, then nothing."""
        tls = ClientTls(bed.trust.market_trust, bed.peer.certificate, bed.peer.key)
        async with HttpClient(
            actor="consumer", tls=tls, connect_to={HOST: bed.addresses["wado"]}
        ) as client:
            url = f"{BASE}/studies/{study}/series/{study}.1"
            async with client.stream("GET", url, headers=headers) as answer:
                await anext(answer.aiter())
                return answer.status

    def ended() -> bool:
        """The PACS knows."""
        for one in bed.exchanges[before:]:
            if one.transaction in ("C-MOVE", "C-GET") and one.response:
                return one.response.start_line.endswith("0xFE00")
            if one.transaction == "PACS-WADO-RS":
                return one.outcome is Outcome.ABORTED
        return False

    assert bed.call(leave) == 200
    assert bed.until(ended)
    stored = [one for one in bed.exchanges if one.transaction == "C-STORE" and study in one.keys]
    assert len(stored) < IMAGES
    bed.until(lambda: "fermé" in str(bed.admin("audit")))
