"""WADO-RS response: the images that a source gives, or the way it refuses them."""

from __future__ import annotations

from collections import Counter

from protocols.dicom import split_part10
from protocols.dicomweb import MediaType, parse_media_type
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from spec.wado import MEDIA_TYPE, MULTIPART_RELATED, TRANSFER_SYNTAXES
from validators.examples import kos
from validators.examples import wado as example
from validators.finding import Severity
from validators.rule import Broken
from validators.wado.reading import WadoPart, WadoResponse
from validators.wado.rules import RESPONSE, SAMPLES, Findings, dicomweb, rfc

__all__: list[str] = []

_INS = ("DB.SO.39",)
_SYNTAX = ("DB.SO.41", "DB.SO.85")
_KNOWN = (200, 206, 400, 401, 403, 404, 406, 410, 429, 503)
_TEN = tuple(syntax.uid for syntax in TRANSFER_SYNTAXES)
_ENOUGH = 5
_EXPLICIT = "1.2.840.10008.1.2.1"
_IMPLICIT_PART = (("Content-Type", "application/dicom; transfer-syntax=1.2.840.10008.1.2"),)


def _media(value: str) -> MediaType | None:
    try:
        return parse_media_type(value)
    except RemoteProtocolError:
        return None


def _at(rank: int, path: str = "") -> str:
    return f"partie {rank}, {path}" if path else f"partie {rank}"


@RESPONSE.rule(
    "WADO-101",
    "Le statut est l'un de ceux d'une récupération",
    reference=dicomweb("10.4.3.1"),
    bad=lambda: example.response(status="500 Internal Server Error"),
)
def status(wado: WadoResponse) -> Findings:
    # Any 4xx refuses: which one is WADO-132's affair.
    if wado.status not in _KNOWN and not 400 <= wado.status < 500:
        yield _unknown_status(wado)


def _unknown_status(wado: WadoResponse) -> Broken:
    return Broken(
        message="Ce statut n'est pas prévu pour une récupération.",
        expected=" | ".join(str(code) for code in _KNOWN),
        actual=str(wado.status),
        where="statut",
    )


@RESPONSE.rule(
    "WADO-102",
    "Une réponse positive est un multipart/related de type application/dicom",
    reference=dicomweb("8.7.3"),
    bad=lambda: example.response(content_type="application/dicom"),
)
def content_type(wado: WadoResponse) -> Findings:
    if not wado.is_success:
        return
    media = _media(wado.header("Content-Type"))
    if media is None or (media.type, media.get("type")) != (MULTIPART_RELATED, MEDIA_TYPE):
        yield Broken(
            message="La réponse n'est pas un ensemble d'objets DICOM.",
            expected=f'{MULTIPART_RELATED}; type="{MEDIA_TYPE}"; boundary=…',
            actual=wado.header("Content-Type"),
            where="Content-Type",
        )


@RESPONSE.rule(
    "WADO-103",
    "Content-Type donne le délimiteur",
    reference=rfc("RFC 2046", "5.1.1"),
    bad=lambda: example.response(content_type='multipart/related; type="application/dicom"'),
)
def boundary(wado: WadoResponse) -> Findings:
    media = _media(wado.header("Content-Type"))
    if wado.is_success and media is not None and not media.get("boundary"):
        yield Broken(message="Le paramètre boundary manque.", where="Content-Type")


@RESPONSE.rule(
    "WADO-104",
    "transfer-syntax, s'il est écrit, est un UID et un seul",
    reference=dicomweb("8.7.3.5.2"),
    bad=lambda: example.response(part=(("Content-Type", "application/dicom;transfer-syntax=*"),)),
)
def one_transfer_syntax(wado: WadoResponse) -> Findings:
    written = [("Content-Type", wado.header("Content-Type"))] if wado.is_success else []
    written += [(_at(n), part.content_type) for n, part in enumerate(wado.objects, start=1)]
    wrong = []
    for where, value in written:
        media = _media(value)
        syntax = None if media is None else media.get("transfer-syntax")
        if syntax is not None and not all(part.isdigit() for part in syntax.split(".")):
            wrong.append((where, syntax))
    for where, syntax in wrong[:_ENOUGH]:
        yield Broken(
            message="Une réponse dit la syntaxe qu'elle emploie.",
            expected="un UID",
            actual=syntax,
            where=where,
        )


@RESPONSE.rule(
    "WADO-105",
    "Une réponse positive porte au moins une instance",
    reference=dicomweb("10.4.3.1"),
    bad=lambda: example.response([]),
)
def not_empty(wado: WadoResponse) -> Findings:
    if wado.is_success and not wado.parts and not wado.cut:
        yield Broken(
            message="La réponse est positive et ne porte aucune image.",
            expected="au moins 1 partie",
            actual="0",
        )


@RESPONSE.rule(
    "WADO-106",
    "Le corps multipart est entier",
    reference=rfc("RFC 2046", "5.1.1"),
    bad=lambda: example.response(body=lambda data: data[:-8]),
)
def complete(wado: WadoResponse) -> Findings:
    if wado.is_success and not wado.complete:
        yield Broken(message="Le délimiteur de fin manque : la réponse est tronquée.")


@RESPONSE.rule(
    "WADO-107",
    "Chaque partie est de type application/dicom",
    reference=dicomweb("8.7.3"),
    bad=lambda: example.response(part=(("Content-Type", "application/octet-stream"),)),
)
def part_types(wado: WadoResponse) -> Findings:
    wrong = [
        (rank, part)
        for rank, part in enumerate(wado.objects, start=1)
        if getattr(_media(part.content_type), "type", "") != MEDIA_TYPE
    ]
    for rank, part in wrong[:_ENOUGH]:
        yield Broken(
            message="Cette partie n'est pas annoncée comme un objet DICOM.",
            expected=MEDIA_TYPE,
            actual=part.content_type,
            where=_at(rank, "Content-Type"),
        )


def _written_syntax(part: WadoPart) -> str:
    """The transfer syntax of a part's own meta information, "" when it has none."""
    try:
        return split_part10(part.head).transfer_syntax
    except RemoteProtocolError:
        return ""


@RESPONSE.rule(
    "WADO-108",
    "La syntaxe annoncée d'une partie est celle de son objet (0002,0010)",
    reference=dicomweb("8.7.9"),
    requirements=_SYNTAX,
    bad=lambda: example.response(
        part=(("Content-Type", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70"),)
    ),
)
def announced_syntax(wado: WadoResponse) -> Findings:
    wrong = []
    for rank, part in enumerate(wado.objects, start=1):
        media, used = _media(part.content_type), _written_syntax(part)
        announced = None if media is None else media.get("transfer-syntax")
        if announced and used and announced != used:
            wrong.append((rank, announced, used))
    for rank, announced, used in wrong[:_ENOUGH]:
        yield Broken(
            message="La partie annonce une autre syntaxe que celle de son objet.",
            expected=used,
            actual=announced,
            where=_at(rank, "Content-Type"),
        )


@RESPONSE.rule(
    "WADO-109",
    "Aucun objet n'est en Implicit VR ni en Big Endian",
    reference=dicomweb("8.7.3"),
    requirements=_SYNTAX,
    bad=lambda: example.response(
        [example.instance(transfer_syntax=IMPLICIT_VR_LITTLE_ENDIAN)], part=_IMPLICIT_PART
    ),
)
def never_implicit(wado: WadoResponse) -> Findings:
    found = [(rank, _written_syntax(part)) for rank, part in enumerate(wado.objects, start=1)]
    forbidden = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
    for rank, used in [pair for pair in found if pair[1] in forbidden][:_ENOUGH]:
        yield Broken(
            message="Cette syntaxe est interdite sur le web.",
            expected="Explicit VR Little Endian ou une syntaxe compressée",
            actual=used,
            where=_at(rank, "0002,0010"),
        )


@RESPONSE.rule(
    "WADO-110",
    "Les objets sont dans l'une des dix syntaxes",
    reference=SAMPLES,
    requirements=("DB.SO.85", "DB.CS.83"),
    bad=lambda: example.response(
        [example.instance(transfer_syntax="1.2.840.10008.1.2.5")],
        part=(("Content-Type", "application/dicom; transfer-syntax=1.2.840.10008.1.2.5"),),
    ),
)
def listed_syntax(wado: WadoResponse) -> Findings:
    found = [(rank, _written_syntax(part)) for rank, part in enumerate(wado.objects, start=1)]
    for rank, used in [pair for pair in found if pair[1] and pair[1] not in _TEN][:_ENOUGH]:
        yield Broken(
            message="Cette syntaxe n'est pas de celles qu'un consommateur accepte.",
            expected=" ".join(_TEN),
            actual=used,
            where=_at(rank, "0002,0010"),
        )


@RESPONSE.rule(
    "WADO-111",
    "Chaque partie est un fichier DICOM (préambule, DICM, méta-information)",
    reference=dicomweb("8.7.3.2"),
    bad=lambda: example.response([b"GIF89a", example.instance()]),
)
def part_10(wado: WadoResponse) -> Findings:
    readable = {rank for rank, _ in wado.files}
    wrong = [rank for rank in range(1, len(wado.objects) + 1) if rank not in readable]
    for rank in wrong[:_ENOUGH]:
        yield Broken(
            message="Cette partie n'est pas un fichier DICOM lisible.",
            expected="DICM à l'octet 128",
            actual=repr(wado.parts[rank - 1].head[:16]),
            where=_at(rank),
        )


@RESPONSE.rule(
    "WADO-112",
    "La méta-information et l'objet nomment la même instance",
    reference=dicomweb("8.7.3.2"),
    bad=lambda: example.response([example.instance(media_instance=f"{kos.SERIES}.7")]),
)
def media_instance(wado: WadoResponse) -> Findings:
    wrong = [
        (rank, file)
        for rank, file in wado.files
        if file.media_sop_instance != file.data.text(0x00080018)
    ]
    for rank, file in wrong[:_ENOUGH]:
        yield Broken(
            message="La méta-information nomme une autre instance.",
            expected=file.data.text(0x00080018),
            actual=file.media_sop_instance,
            where=_at(rank, "0002,0003"),
        )


@RESPONSE.rule(
    "WADO-113",
    "Une instance n'est donnée qu'une fois",
    reference=dicomweb("10.4.3"),
    bad=lambda: example.response([example.instance(1), example.instance(1)]),
)
def distinct_instances(wado: WadoResponse) -> Findings:
    counted = Counter(file.data.text(0x00080018) for _, file in wado.files)
    for uid in [uid for uid, count in counted.items() if count > 1][:_ENOUGH]:
        yield Broken(
            message="Cette instance est donnée plusieurs fois.",
            expected="1",
            actual=f"{uid} : {counted[uid]}",
        )


@RESPONSE.rule(
    "WADO-130",
    "Un refus ne porte aucun objet DICOM",
    reference=rfc("RFC 9110", "15.5"),
    requirements=("DB.SO.33", "DB.SO.34"),
    bad=lambda: example.response(status="403 Forbidden"),
)
def refusal_is_empty(wado: WadoResponse) -> Findings:
    if wado.status >= 400 and any(part.head[128:132] == b"DICM" for part in wado.parts):
        yield Broken(
            message="La réponse refuse et donne des images.",
            expected="aucune image",
            actual=f"{len(wado.parts)} partie(s)",
            where="corps",
        )


@RESPONSE.rule(
    "WADO-131",
    "Un refus 401 demande un jeton Bearer (WWW-Authenticate)",
    reference=rfc("RFC 6750", "3"),
    requirements=("DB.SO.33",),
    severity=Severity.WARNING,
    bad=lambda: example.response([], status="401 Unauthorized", content_type=""),
)
def challenge(wado: WadoResponse) -> Findings:
    written = wado.header("WWW-Authenticate")
    if wado.status == 401 and not written.lower().startswith("bearer"):
        yield Broken(
            message="WWW-Authenticate manque.",
            expected="Bearer …",
            actual=written,
            where="WWW-Authenticate",
        )


@RESPONSE.rule(
    "WADO-132",
    "Un refus a l'un des statuts d'une récupération",
    reference=dicomweb("10.4.3.1"),
    severity=Severity.WARNING,
    bad=lambda: example.response([], status="409 Conflict", content_type=""),
)
def refusal(wado: WadoResponse) -> Findings:
    if wado.status not in _KNOWN and 400 <= wado.status < 500:
        yield _unknown_status(wado)
