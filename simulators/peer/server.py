"""A Source of the network, seen from a Consumer: it serves what it was given, right or wrong.

It checks nothing but that a series was offered: what a Consumer sends to it is recorded by the
wire and judged elsewhere. Whether it is on the white list is not its affair.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from protocols.dicom import (
    build_part10,
    encode_element,
    encode_sequence,
    replace_elements,
    split_part10,
)
from protocols.dicomweb import part_headers, response_content_type
from protocols.kos import (
    Code,
    ContentItem,
    InstanceRef,
    Issuer,
    Manifest,
    OtherPatientId,
    SeriesEvidence,
    StudyEvidence,
    Template,
    encode,
)
from protocols.kos import Request as ImagingRequest
from protocols.multipart import Writer
from wire.exchange import Observe
from wire.http_server import HttpServer, note, serve_http
from wire.listening import authority
from wire.tls import ServerTls

__all__ = ["Offer", "PeerSource", "manifest_of"]

_BOUNDARY = "drimbench-voisin"
_CHUNK = 256 * 1024
_OTHER_PATIENT_IDS = 0x00101002
_INS_ISSUER = "ASIP-SANTE-INS-NIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One exam that this Source serves.

    `ins` is what it writes in every image: the patient's, or somebody else's.
    """

    study_uid: str
    kos_uid: str
    ins: str
    ins_oid: str
    series: dict[str, tuple[bytes, ...]]
    """SeriesInstanceUID -> DICOM files."""


class PeerSource:
    """The service. Change `offers` from any thread; it is read at each request.

    Args:
        actor: the name under which its exchanges are recorded.
    """

    def __init__(self, actor: str = "voisin") -> None:
        self.actor = actor
        self.offers: dict[str, Offer] = {}
        self._server: HttpServer | None = None

    def offer(self, offer: Offer) -> None:
        """Serve one more exam."""
        self.offers[offer.study_uid] = offer

    async def start(
        self,
        *,
        observe: Observe,
        tls: ServerTls,
        host: str = "127.0.0.1",
        port: int = 0,
        announced: str = "",
    ) -> str:
        """Listen; returns `address:port`, as others are told."""
        self._server = await serve_http(
            self.build(),
            actor=self.actor,
            observe=observe,
            tls=tls,
            host=host,
            port=port,
            announced=announced,
        )
        return authority(self._server.host, self._server.port)

    async def stop(self) -> None:
        """Close the listener."""
        if self._server is not None:
            await self._server.stop()

    def build(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[Route("/{root:path}/studies/{study}/series/{series}", self._retrieve)]
        )

    async def _retrieve(self, request: Request) -> Response:
        note(request.scope, transaction="WADO-RS")
        offer = self.offers.get(request.path_params["study"])
        files = offer.series.get(request.path_params["series"]) if offer else None
        if offer is None or files is None:
            return PlainTextResponse("série inconnue", status_code=404)
        return StreamingResponse(_body(files, offer), media_type=response_content_type(_BOUNDARY))


async def _body(files: Iterable[bytes], offer: Offer) -> AsyncIterator[bytes]:
    writer = Writer(_BOUNDARY)
    for file in files:
        stamped, syntax = _stamped(file, offer)
        yield writer.begin_part(part_headers(syntax, length=len(stamped)))
        for start in range(0, len(stamped), _CHUNK):
            yield writer.data(stamped[start : start + _CHUNK])
    yield writer.end()


def _stamped(file: bytes, offer: Offer) -> tuple[bytes, str]:
    part10 = split_part10(file)
    syntax = part10.transfer_syntax
    item = b"".join(
        (
            encode_element(0x00100020, "LO", offer.ins.encode(), implicit=False),
            encode_element(0x00100021, "LO", _INS_ISSUER.encode(), implicit=False),
            encode_element(0x00100022, "CS", b"TEXT", implicit=False),
            encode_sequence(
                0x00100024,
                [
                    encode_element(0x00400032, "UT", offer.ins_oid.encode(), implicit=False)
                    + encode_element(0x00400033, "CS", b"ISO", implicit=False)
                ],
                implicit=False,
            ),
        )
    )
    data = replace_elements(
        part10.dataset,
        transfer_syntax=syntax,
        elements={_OTHER_PATIENT_IDS: encode_sequence(_OTHER_PATIENT_IDS, [item], implicit=False)},
    )
    delivered = build_part10(
        sop_class=part10.sop_class,
        sop_instance=part10.sop_instance,
        transfer_syntax=syntax,
        dataset=data,
    )
    return delivered, syntax


def manifest_of(
    *,
    kos_uid: str,
    series_uid: str,
    study_uid: str,
    ins: str,
    ins_oid: str,
    patient_name: str,
    birth_date: str,
    sex: str,
    accession: str,
    accession_oid: str,
    placer: str,
    placer_oid: str,
    study_date: str,
    description: str,
    base_url: str,
    series: dict[str, tuple[str, tuple[tuple[str, str], ...]]],
) -> bytes:
    """The KOS of an offered exam.

    `series` maps a SeriesInstanceUID to its modality and `(SOP class, SOP instance)` pairs.
    """
    issuer = (Issuer(ins_oid),)
    evidence = tuple(
        SeriesEvidence(
            series_uid=uid,
            modality=modality,
            retrieve_url=f"{base_url}/studies/{study_uid}/series/{uid}",
            series_number=str(number),
            instances=tuple(InstanceRef(sop_class, instance) for sop_class, instance in refs),
        )
        for number, (uid, (modality, refs)) in enumerate(series.items(), 1)
    )
    lines = [f"Examen : {description}"] + [
        f"Série-{uid} : {modality} @  : {description}" for uid, (modality, _) in series.items()
    ]
    return encode(
        Manifest(
            sop_instance=kos_uid,
            study_uid=study_uid,
            series_uid=series_uid,
            specific_character_set="ISO_IR 100",
            study_date=study_date,
            content_date=study_date,
            content_time="120000",
            instance_creation_date=study_date,
            instance_creation_time="120000",
            timezone_offset="+0000",
            manufacturer="DRIMBENCH",
            patient_name=patient_name,
            patient_id=ins,
            issuer_of_patient_id=_INS_ISSUER,
            patient_id_qualifiers=issuer,
            birth_date=birth_date,
            sex=sex,
            other_patient_ids=(
                OtherPatientId(patient_id=ins, issuer=_INS_ISSUER, type="TEXT", qualifiers=issuer),
            ),
            study_description=description,
            series_number="59",
            instance_number="1",
            title=(Code("113030", "DCM", "Manifest"),),
            template=(Template("DCMR", "2010"),),
            requests=(
                ImagingRequest(
                    study_uid=study_uid,
                    accession_number=accession,
                    accession_issuer=(Issuer(accession_oid),),
                    referenced_studies=(),
                    description="",
                    procedure_codes=(),
                    procedure_id="",
                    placer_order_number=placer,
                    placer_issuer=(Issuer(placer_oid),),
                    filler_order_number="",
                ),
            ),
            studies=(StudyEvidence(study_uid, evidence),),
            content=(
                *(
                    ContentItem(value_type="IMAGE", references=((ref.sop_class, ref.sop_instance),))
                    for one in evidence
                    for ref in one.instances
                ),
                ContentItem(
                    value_type="TEXT",
                    concept=Code("113012", "DCM", "Key Object Description"),
                    text="\n".join(lines),
                ),
            ),
        )
    )
