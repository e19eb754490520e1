"""WADO-RS response: the metadata of a study, a series or an instance, in DICOM JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from validators.context import Context
from validators.examples import kos
from validators.examples import wado as example
from validators.rule import Broken
from validators.wado.reading import JSON, WadoResponse, expected_kos
from validators.wado.rules import RESPONSE, Findings, dicomweb

__all__: list[str] = []

_ENOUGH = 5
_TAG = re.compile(r"[0-9A-F]{8}")
_INSTANCE, _SERIES, _STUDY = "00080018", "0020000E", "0020000D"
_PIXELS = ("7FE00008", "7FE00009", "7FE00010")
_GIVEN = Context(target=example.METADATA)


def _listed(wado: WadoResponse) -> list[Any] | None:
    """The array of the body; None when there is none to judge."""
    if not wado.is_positive or wado.gives != "metadata":
        return None
    try:
        found = json.loads(wado.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _text(one: Any, tag: str) -> str:
    """The first value of an element, "" when it has none."""
    element = one.get(tag) if isinstance(one, dict) else None
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


@RESPONSE.rule(
    "WADO-140",
    "Les métadonnées sont en application/dicom+json",
    reference=dicomweb("10.4.3.3.2"),
    given=_GIVEN,
    good=example.metadata,
    bad=lambda: example.metadata(content_type="text/html"),
)
def media_type(wado: WadoResponse) -> Findings:
    said = wado.header("Content-Type").partition(";")[0].strip().lower()
    if wado.is_positive and wado.gives == "metadata" and said != JSON:
        yield Broken(
            message="Les métadonnées ne sont pas annoncées en JSON DICOM.",
            expected=JSON,
            actual=said,
            where="Content-Type",
        )


@RESPONSE.rule(
    "WADO-141",
    "Les métadonnées sont un tableau d'objets, un par instance",
    reference=dicomweb("F.2.1"),
    given=_GIVEN,
    good=example.metadata,
    bad=lambda: example.metadata(body=b'{"00080018": {}}'),
)
def array(wado: WadoResponse) -> Findings:
    if not wado.is_positive or wado.gives != "metadata":
        return
    listed = _listed(wado)
    if not listed or not all(isinstance(one, dict) for one in listed):
        yield Broken(
            message="Le corps n'est pas un tableau JSON d'objets DICOM.",
            expected="[{…}, …]",
            actual=repr(wado.body[:40]),
            where="corps",
        )


@RESPONSE.rule(
    "WADO-142",
    "Les clés des métadonnées sont des étiquettes de huit chiffres hexadécimaux, avec leur vr",
    reference=dicomweb("F.2.2"),
    given=_GIVEN,
    good=example.metadata,
    bad=lambda: example.metadata([{"Modality": "CT"}]),
)
def tags(wado: WadoResponse) -> Findings:
    for rank, one in enumerate(_listed(wado) or (), start=1):
        if not isinstance(one, dict):
            continue
        wrong = [
            key
            for key, element in one.items()
            if not _TAG.fullmatch(key) or not isinstance(element, dict) or "vr" not in element
        ]
        if wrong:
            yield Broken(
                message="Un attribut n'est pas écrit en JSON DICOM.",
                expected='"GGGGEEEE": {"vr": …}',
                actual=" ".join(wrong[:_ENOUGH])[:200],
                where=f"objet {rank}",
            )
            return


@RESPONSE.rule(
    "WADO-143",
    "Chaque objet des métadonnées nomme son examen, sa série et son instance",
    reference=dicomweb("10.4.3.3.2"),
    given=_GIVEN,
    good=example.metadata,
    bad=lambda: example.metadata([example.described(1, **{_INSTANCE: None})]),
)
def named(wado: WadoResponse) -> Findings:
    for rank, one in enumerate(_listed(wado) or (), start=1):
        missing = [tag for tag in (_STUDY, _SERIES, _INSTANCE) if not _text(one, tag)]
        if missing:
            yield Broken(
                message="L'objet ne dit pas de quelle instance il est.",
                expected="StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID",
                actual="manque " + " ".join(missing),
                where=f"objet {rank}",
            )
            return


@RESPONSE.rule(
    "WADO-144",
    "Les métadonnées ne portent pas les pixels",
    reference=dicomweb("10.4.3.3.2"),
    given=_GIVEN,
    good=example.metadata,
    bad=lambda: example.metadata(
        [example.described(1, **{"7FE00010": {"vr": "OW", "InlineBinary": "AAAA"}})]
    ),
)
def no_pixels(wado: WadoResponse) -> Findings:
    for rank, one in enumerate(_listed(wado) or (), start=1):
        found = [
            tag
            for tag in _PIXELS
            if isinstance(one, dict)
            and isinstance(element := one.get(tag), dict)
            and "InlineBinary" in element
        ]
        if found:
            yield Broken(
                message="Les pixels sont dans les métadonnées.",
                expected="rien, ou BulkDataURI",
                actual="InlineBinary",
                where=f"objet {rank}, {found[0]}",
            )
            return


@RESPONSE.rule(
    "WADO-145",
    "Les métadonnées sont celles des instances du KOS qui sont demandées",
    reference=dicomweb("10.4.3.3.2"),
    requirements=("DB.SO.32", "DB.SO.38"),
    given=Context(kos=kos.kos(), target=example.METADATA),
    good=example.metadata,
    bad=lambda: example.metadata([example.described(1)]),
)
def of_the_kos(wado: WadoResponse) -> Findings:
    listed, manifest, asked = _listed(wado), expected_kos(wado.context), wado.asked
    if listed is None or manifest is None or asked is None or wado.status != 200:
        return
    wanted = {
        one.instance
        for one in manifest.references()
        if one.study == asked.study
        and asked.series in (None, one.series)
        and asked.instance in (None, one.instance)
    }
    given = {_text(one, _INSTANCE) for one in listed}
    if given != wanted:
        yield Broken(
            message="Les instances décrites ne sont pas celles que le KOS liste.",
            expected=f"{len(wanted)} instance(s)",
            actual=f"{len(given & wanted)} d'elles, {len(given - wanted)} autre(s)",
            where="0008,0018",
        )
