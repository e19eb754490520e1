"""WADO-RS request: what a consumer asks of a source, and how it says who asks."""

from __future__ import annotations

import re

from protocols.dicomweb import ANY_TRANSFER_SYNTAX
from spec.dicom import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from spec.wado import (
    KOS_HEADER,
    LOSSLESS_PROFILE,
    LOSSY_PROFILE,
    MEDIA_TYPE,
    MULTIPART_RELATED,
    Q_MAXIMUM,
    Q_MINIMUM,
    TRANSFER_SYNTAXES,
)
from validators.context import Context
from validators.examples import kos
from validators.examples import wado as example
from validators.finding import Severity
from validators.identifiers import is_uid
from validators.rule import Broken
from validators.wado.reading import WadoRequest, expected_kos
from validators.wado.rules import REQUEST, SAMPLES, Findings, dicomweb, draft, rfc

__all__: list[str] = []

_TOKEN = ("DB.VI-CO.14", "DB.VI-CO.12")
_SYNTAXES = ("DB.CS.83", "DB.CO.84")
_TEN = tuple(syntax.uid for syntax in TRANSFER_SYNTAXES)
_FORBIDDEN = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
_EXACT = ("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.1")
"""Of the ten, those that cannot lose anything (`.4.91` may)."""
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")


@REQUEST.rule(
    "WADO-001",
    "La méthode est GET",
    reference=dicomweb("10.4.1"),
    bad=lambda: example.request(method="POST"),
)
def method(wado: WadoRequest) -> Findings:
    if wado.method != "GET":
        yield Broken(
            message="Une récupération se demande par GET.", expected="GET", actual=wado.method
        )


@REQUEST.rule(
    "WADO-002",
    "Le chemin désigne une série ou une instance, par des UID légaux",
    reference=dicomweb("10.4.1.1"),
    bad=lambda: example.request(path=f"/studies/{kos.STUDY}/series/01.2"),
)
def path(wado: WadoRequest) -> Findings:
    if wado.resource is None:
        yield Broken(
            message="Le chemin n'est pas celui d'une ressource DICOMweb.",
            expected="…/studies/{UID}/series/{UID}[/instances/{UID}]",
            actual=wado.path[:200],
            where="cible de la requête",
        )


@REQUEST.rule(
    "WADO-003",
    "La demande porte sur une série ou ses instances",
    reference=draft("DB.VI-CO.11"),
    severity=Severity.WARNING,
    bad=lambda: example.request(path=f"/studies/{kos.STUDY}"),
)
def level(wado: WadoRequest) -> Findings:
    found = wado.resource
    if found is not None and (found.level not in ("series", "instance") or found.suffix):
        yield Broken(
            message="Ce niveau n'est pas celui des échanges entre DRIMbox.",
            expected="series | instance",
            actual=f"{found.level} {found.suffix}".strip(),
            where="cible de la requête",
        )


@REQUEST.rule(
    "WADO-004",
    "Le chemin ne porte ni jeton, ni requête",
    reference=rfc("RFC 6750", "2.3"),
    requirements=_TOKEN,
    bad=lambda: example.request(path=f"{example.PATH}?access_token=x"),
)
def no_query(wado: WadoRequest) -> Findings:
    if "?" in wado.path:
        yield Broken(
            message="Le chemin porte une requête.",
            expected="un chemin seul",
            actual=wado.path.partition("?")[2][:40],
            where="cible de la requête",
        )


_BEARER = re.compile(r"Bearer [A-Za-z0-9._~+/-]+=*", re.IGNORECASE)


@REQUEST.rule(
    "WADO-005",
    "Un en-tête Authorization porte un jeton Bearer",
    reference=SAMPLES,
    requirements=_TOKEN,
    bad=lambda: example.request(authorization=()),
)
def bearer(wado: WadoRequest) -> Findings:
    found = wado.all("Authorization")
    if len(found) != 1 or _BEARER.fullmatch(found[0]) is None:
        # The value is a secret: its scheme is enough to act upon.
        yield Broken(
            message="La requête doit porter un jeton Bearer et un seul.",
            expected="Bearer <jeton>",
            actual=" | ".join(value.partition(" ")[0][:20] for value in found),
            where="Authorization",
        )


@REQUEST.rule(
    "WADO-006",
    "Un en-tête KOS-SOPInstanceUID porte un UID légal",
    reference=SAMPLES,
    requirements=("DB.VI-CO.14",),
    bad=lambda: example.request(kos_uid=()),
)
def kos_header(wado: WadoRequest) -> Findings:
    found = wado.all(KOS_HEADER)
    if len(found) != 1 or not is_uid(found[0]):
        yield Broken(
            message="La requête doit nommer le KOS, une fois.",
            expected="un UID",
            actual=" | ".join(found)[:200],
            where=KOS_HEADER,
        )


@REQUEST.rule(
    "WADO-007",
    "Accept est présent et lisible",
    reference=SAMPLES,
    requirements=_SYNTAXES,
    bad=lambda: example.request(accept=('multipart/related; type="application/dicom',)),
)
def accept(wado: WadoRequest) -> Findings:
    if not wado.preferences:
        yield Broken(
            message="Accept manque ou est illisible.",
            expected='multipart/related; type="application/dicom"; transfer-syntax=…; q=…',
            actual=", ".join(wado.all("Accept"))[:200],
            where="Accept",
        )


@REQUEST.rule(
    "WADO-008",
    "Accept demande des objets DICOM en multipart/related",
    reference=dicomweb("8.7.3"),
    requirements=_SYNTAXES,
    bad=lambda: example.request(accept=("application/dicom+json",)),
)
def media_types(wado: WadoRequest) -> Findings:
    for one in wado.preferences or ():
        if (one.media_type, one.part_type) != (MULTIPART_RELATED, MEDIA_TYPE):
            yield Broken(
                message="Ce type de média n'est pas celui des échanges entre DRIMbox.",
                expected=f'{MULTIPART_RELATED}; type="{MEDIA_TYPE}"',
                actual=f"{one.media_type}; type={one.part_type}",
                where="Accept",
            )


@REQUEST.rule(
    "WADO-009",
    "La valeur du paramètre type est entre guillemets",
    reference=rfc("RFC 2387", "3.4"),
    requirements=_SYNTAXES,
    bad=lambda: example.request(
        accept=("multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.1",)
    ),
)
def quoted_type(wado: WadoRequest) -> Findings:
    for line in wado.all("Accept"):
        if re.search(r"type\s*=\s*application/", line):
            yield Broken(
                message="Une barre oblique ne s'écrit qu'entre guillemets.",
                expected='type="application/dicom"',
                actual=line[:120],
                where="Accept",
            )
            return


@REQUEST.rule(
    "WADO-010",
    "Accept couvre les dix syntaxes de transfert",
    reference=SAMPLES,
    requirements=_SYNTAXES,
    bad=lambda: example.request(profile=LOSSLESS_PROFILE[:-1]),
)
def ten_syntaxes(wado: WadoRequest) -> Findings:
    if not wado.preferences:
        return
    asked = {one.transfer_syntax for one in wado.preferences if one.q > 0}
    missing = [uid for uid in _TEN if uid not in asked]
    if missing:
        yield Broken(
            message="Il manque des syntaxes de transfert.",
            expected=" ".join(_TEN),
            actual="manquent : " + " ".join(missing),
            where="Accept",
        )


@REQUEST.rule(
    "WADO-011",
    "Accept ne demande ni Implicit VR, ni Big Endian, ni n'importe quelle syntaxe",
    reference=dicomweb("8.7.3"),
    requirements=_SYNTAXES,
    bad=lambda: example.request(profile=[*LOSSLESS_PROFILE, (IMPLICIT_VR_LITTLE_ENDIAN, 0.3)]),
)
def forbidden_syntaxes(wado: WadoRequest) -> Findings:
    for one in wado.preferences or ():
        if one.q > 0 and one.transfer_syntax in (*_FORBIDDEN, ANY_TRANSFER_SYNTAX):
            yield Broken(
                message="Cette syntaxe n'est pas permise.",
                actual=str(one.transfer_syntax),
                where="Accept",
            )


@REQUEST.rule(
    "WADO-012",
    "Accept ne demande que les dix syntaxes",
    reference=SAMPLES,
    requirements=_SYNTAXES,
    severity=Severity.WARNING,
    bad=lambda: example.request(profile=[*LOSSLESS_PROFILE, ("1.2.840.10008.1.2.5", 0.3)]),
)
def other_syntaxes(wado: WadoRequest) -> Findings:
    for one in wado.preferences or ():
        if one.transfer_syntax not in (*_TEN, *_FORBIDDEN, ANY_TRANSFER_SYNTAX):
            yield Broken(
                message="Cette syntaxe n'est pas de la liste.",
                expected=" ".join(_TEN),
                actual=str(one.transfer_syntax),
                where="Accept",
            )


@REQUEST.rule(
    "WADO-013",
    "Chaque syntaxe porte un q entre 0.1 et 1.0",
    reference=SAMPLES,
    requirements=_SYNTAXES,
    bad=lambda: example.request(profile=[(uid, 0.05) for uid in _TEN]),
)
def q_values(wado: WadoRequest) -> Findings:
    for one in wado.preferences or ():
        if one.q_written is None or not Q_MINIMUM <= one.q <= Q_MAXIMUM:
            yield Broken(
                message="q manque ou sort des bornes.",
                expected=f"{Q_MINIMUM} à {Q_MAXIMUM}",
                actual=f"{one.transfer_syntax} : {one.q_written}",
                where="Accept",
            )


@REQUEST.rule(
    "WADO-014",
    "Une syntaxe n'est demandée qu'une fois",
    reference=SAMPLES,
    requirements=_SYNTAXES,
    severity=Severity.WARNING,
    bad=lambda: example.request(profile=[*LOSSLESS_PROFILE, LOSSLESS_PROFILE[0]]),
)
def distinct_syntaxes(wado: WadoRequest) -> Findings:
    asked = [one.transfer_syntax for one in wado.preferences or ()]
    for uid in sorted({str(uid) for uid in asked if asked.count(uid) > 1}):
        yield Broken(
            message="Cette syntaxe est demandée plusieurs fois.", actual=uid, where="Accept"
        )


def _best(wado: WadoRequest, among: tuple[str, ...]) -> float:
    return max(
        (one.q for one in wado.preferences or () if one.transfer_syntax in among), default=0.0
    )


@REQUEST.rule(
    "WADO-015",
    "Pour un export, une syntaxe sans perte a le plus grand q",
    reference=SAMPLES,
    requirements=("DB.CO.84", "DB.CO.74"),
    given=Context(purpose="export"),
    bad=lambda: example.request(profile=LOSSY_PROFILE),
)
def lossless_first(wado: WadoRequest) -> Findings:
    if wado.context.purpose != "export" or not wado.preferences:
        return
    if _best(wado, _EXACT) <= _best(wado, _LOSSY):
        yield Broken(
            message="L'export préfère une syntaxe avec perte.",
            expected=f"q le plus grand parmi {' '.join(_EXACT)}",
            actual=f"sans perte {_best(wado, _EXACT)}, avec perte {_best(wado, _LOSSY)}",
            where="Accept",
        )


@REQUEST.rule(
    "WADO-016",
    "Pour une visualisation, une syntaxe avec perte a le plus grand q",
    reference=draft("DB.VI-CO.15"),
    requirements=("DB.CO.84",),
    given=Context(purpose="viewing"),
    good=lambda: example.request(profile=LOSSY_PROFILE),
    bad=example.request,
)
def lossy_first(wado: WadoRequest) -> Findings:
    if wado.context.purpose != "viewing" or not wado.preferences:
        return
    if _best(wado, _LOSSY) <= _best(wado, _EXACT):
        yield Broken(
            message="La visualisation préfère une syntaxe sans perte.",
            expected=f"q le plus grand parmi {' '.join(_LOSSY)}",
            actual=f"avec perte {_best(wado, _LOSSY)}, sans perte {_best(wado, _EXACT)}",
            where="Accept",
        )


@REQUEST.rule(
    "WADO-020",
    "KOS-SOPInstanceUID est le KOS en vigueur de l'examen",
    reference=draft("DB.SO.38"),
    requirements=("DB.VI-CO.14", "DB.SO.38"),
    given=Context(kos=kos.kos()),
    bad=lambda: example.request(kos_uid=("1.2.250.1.999.1.1.8121.7.2",)),
)
def current_kos(wado: WadoRequest) -> Findings:
    expected = expected_kos(wado.context)
    for value in wado.all(KOS_HEADER):
        if expected is not None and value != expected.sop_instance:
            yield Broken(
                message="La requête nomme un autre KOS.",
                expected=expected.sop_instance,
                actual=value,
                where=KOS_HEADER,
            )


@REQUEST.rule(
    "WADO-021",
    "La série demandée est dans le KOS",
    reference=SAMPLES,
    requirements=("DB.VI-CO.11", "DB.VI-CO.14"),
    given=Context(kos=kos.kos()),
    bad=lambda: example.request(path=f"/studies/{kos.STUDY}/series/{kos.STUDY}.9"),
)
def series_of_kos(wado: WadoRequest) -> Findings:
    expected, found = expected_kos(wado.context), wado.resource
    if expected is None or found is None or found.series is None:
        return
    listed = {(study, series.text(0x0020000E)) for study, series in expected.series}
    if (found.study, found.series) not in listed:
        yield Broken(
            message="Le KOS ne liste pas cette série.",
            expected=" | ".join(series for _, series in sorted(listed)),
            actual=found.series,
            where="cible de la requête",
        )


@REQUEST.rule(
    "WADO-022",
    "Le chemin et l'hôte sont ceux de RetrieveURL",
    reference=SAMPLES,
    requirements=("DB.VI-CO.11",),
    given=Context(kos=kos.kos()),
    bad=lambda: example.request(path=example.PATH.replace("/dicom-web", "/autre")),
)
def retrieve_url(wado: WadoRequest) -> Findings:
    expected, found = expected_kos(wado.context), wado.resource
    if expected is None or found is None or found.series is None:
        return
    host = next(iter(wado.all("Host")), "")
    written = f"{host}{found.prefix}/studies/{found.study}/series/{found.series}"
    for _, series in expected.series:
        url = series.text(0x00081190)
        if series.text(0x0020000E) == found.series and url:
            wanted = url.partition("://")[2].rstrip("/")
            # A port may be added by a bench, or left out when it is the default one.
            if _portless(written) != _portless(wanted):
                yield Broken(
                    message="La requête ne suit pas RetrieveURL.",
                    expected=wanted,
                    actual=written,
                    where="cible de la requête",
                )


def _portless(address: str) -> str:
    return re.sub(r"^([^/]*):\d+(?=/|$)", r"\1", address)
