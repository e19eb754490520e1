"""The body of level 3: acts with their catalogue of DICOM objects, one conclusion."""

from __future__ import annotations

from lxml import etree

from protocols import xml
from spec import cda as table
from validators.cda.reading import CdaArtefact
from validators.cda.rules import CDA, Findings, imaging
from validators.examples import cda as example
from validators.finding import Severity
from validators.identifiers import is_uid
from validators.rule import Broken

__all__: list[str] = []

_SECTIONS = imaging("Corps, sections")
_CATALOG = imaging("Corps, FR-DICOM-Object-Catalog")
_UNDER = "cda:component/cda:structuredBody//cda:section"


def _sections(cda: CdaArtefact, code: str) -> list[etree._Element]:
    return cda.find(f"{_UNDER}[cda:code/@code='{code}']")


def _roots(cda: CdaArtefact, path: str) -> list[str]:
    return [str(one.get("root", "")) for one in cda.find(path)]


def _catalogued(code: str) -> str:
    """Path of the ids of the catalogue's acts of that kind."""
    return f"{_UNDER}[cda:code/@code='{table.CATALOG}']//cda:act[cda:code/@code='{code}']/cda:id"


@CDA.rule(
    "CDA-090",
    "Une section au moins décrit l'acte d'imagerie (55111-9)",
    reference=_SECTIONS,
    good=example.structured,
    bad=lambda: example.structured(sections=""),
)
def act_section(cda: CdaArtefact) -> Findings:
    if cda.structured and not _sections(cda, table.IMAGING_ACT):
        yield Broken(
            message="Aucune section ne décrit l'acte.",
            expected=table.IMAGING_ACT,
            where="structuredBody",
        )


@CDA.rule(
    "CDA-091",
    "Une section et une seule conclut (19005-8)",
    reference=_SECTIONS,
    good=example.structured,
    bad=lambda: example.structured(
        edit=lambda data: data.replace(b'code="19005-8"', b'code="59776-5"')
    ),
)
def conclusion(cda: CdaArtefact) -> Findings:
    count = len(_sections(cda, table.CONCLUSION))
    if cda.structured and count != 1:
        yield Broken(
            message="La conclusion figure une fois et une seule.",
            expected="1",
            actual=str(count),
            where="structuredBody",
        )


@CDA.rule(
    "CDA-092",
    "Chaque acte porte un catalogue d'objets DICOM (121181)",
    reference=_CATALOG,
    good=example.structured,
    bad=lambda: example.structured(edit=lambda data: data.replace(b'"121181"', b'"121180"')),
)
def catalog(cda: CdaArtefact) -> Findings:
    for rank, section in enumerate(_sections(cda, table.IMAGING_ACT), start=1):
        path = f"cda:component/cda:section[cda:code/@code='{table.CATALOG}']"
        found = section.xpath(path, namespaces=xml.NS)
        count = len(found) if isinstance(found, list) else 0
        if count != 1:
            yield Broken(
                message="Le catalogue d'objets figure une fois par acte.",
                expected="1",
                actual=str(count),
                where=f"structuredBody//section[{table.IMAGING_ACT}][{rank}]",
            )


@CDA.rule(
    "CDA-093",
    "Le catalogue nomme les examens de l'en-tête",
    reference=_CATALOG,
    requirements=("DB.SO.12",),
    good=example.structured,
    bad=lambda: example.structured(
        service_events=(example.act(ids=(example.other_study(),)),),
    ),
)
def catalogued_studies(cda: CdaArtefact) -> Findings:
    if not cda.structured:
        return
    written = set(_roots(cda, _catalogued(table.CATALOG_STUDY)))
    expected = set(cda.study_uids())
    if written != expected:
        yield Broken(
            message="Le catalogue et l'en-tête ne nomment pas les mêmes examens.",
            expected=" ".join(sorted(expected)),
            actual=" ".join(sorted(written)),
            where=f"structuredBody//act[{table.CATALOG_STUDY}]/id",
        )


@CDA.rule(
    "CDA-094",
    "Séries et objets du catalogue ont des UID légaux",
    reference=_CATALOG,
    good=example.structured,
    bad=lambda: example.structured(
        edit=lambda data: data.replace(
            f'root="{example.STUDY}.1.1"'.encode(), f'root="{example.STUDY}.1.001"'.encode()
        )
    ),
)
def catalogued_uids(cda: CdaArtefact) -> Findings:
    objects = f"{_UNDER}[cda:code/@code='{table.CATALOG}']//cda:observation[@classCode='DGIMG']"
    for path, what in (
        (_catalogued(table.CATALOG_SERIES), "de la série"),
        (f"{objects}/cda:id", "de l'objet"),
    ):
        for uid in _roots(cda, path):
            if not is_uid(uid):
                yield Broken(
                    message=f"L'identifiant {what} n'est pas un UID DICOM légal.",
                    actual=uid,
                    where=f"structuredBody//act[{table.CATALOG_SERIES}]//id",
                )


@CDA.rule(
    "CDA-095",
    "Les objets du catalogue disent leur classe et leur adresse, sans blanc",
    reference=_CATALOG,
    severity=Severity.WARNING,
    good=example.structured,
    bad=lambda: example.structured(edit=lambda data: data.replace(b"/studies/", b" /studies/")),
)
def catalogued_objects(cda: CdaArtefact) -> Findings:
    path = f"{_UNDER}[cda:code/@code='{table.CATALOG}']//cda:observation[@classCode='DGIMG']"
    for rank, found in enumerate(cda.find(path), start=1):
        where = f"structuredBody//observation[DGIMG][{rank}]"
        code = found.find(f"{{{xml.NS['cda']}}}code")
        if code is None or code.get("codeSystem") != table.SOP_CLASS_SYSTEM:
            yield Broken(
                message="La classe SOP de l'objet manque.",
                expected=table.SOP_CLASS_SYSTEM,
                where=f"{where}/code",
            )
        reference = found.find(f"{{{xml.NS['cda']}}}text/{{{xml.NS['cda']}}}reference")
        address = "" if reference is None else str(reference.get("value", ""))
        if not address.startswith("https://") or any(char.isspace() for char in address):
            yield Broken(
                message="L'adresse de l'objet manque ou ne peut pas être suivie.",
                expected="https://… sans blanc",
                actual=address[:200],
                where=f"{where}/text/reference/@value",
            )
