"""ITI-41: the registry objects of a lot, their documents and their links."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from lxml import etree

from protocols.ebrim import Association
from protocols.xml import NS
from spec.xds import (
    ASSOCIATION_OBJECT_TYPE,
    STABLE_DOCUMENT,
    AssociationType,
    EntryScheme,
    SetScheme,
    SlotName,
)
from validators.examples import xds as example
from validators.finding import Severity
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject
from validators.xds.rules import TD21, XDS, Findings, iti, same, w3c

__all__: list[str] = []

_RIM = f"{{{NS['rim']}}}"
_ENTRY_HASMEMBER = iti("Vol. 3, 4.2.1.4")


@XDS.rule(
    "XDS-020",
    "Le lot a un SubmissionSet et un seul",
    reference=iti("Vol. 3, 4.2.1.2"),
    bad=lambda: example.iti41(example.remove("//rim:Classification[@classificationNode]")),
)
def one_set(xds: Submission) -> Findings:
    if len(xds.sets) != 1:
        yield Broken(
            message="Un lot a un SubmissionSet.",
            expected="1",
            actual=str(len(xds.sets)),
            where="//RegistryPackage",
        )


@XDS.rule(
    "XDS-021",
    "Les identifiants symboliques sont uniques",
    reference=iti("Vol. 3, 4.2.1.4"),
    bad=lambda: example.iti41(example.edit("//rim:Association[2]", "id", "a1")),
)
def unique_ids(xds: Submission) -> Findings:
    ids = Counter(element.get("id", "") for element in xds.request.iter(f"{_RIM}*"))
    for value, count in ids.items():
        if value and count > 1:
            yield Broken(
                message="Cet identifiant désigne plusieurs objets.",
                expected="1",
                actual=str(count),
                where=f"//*[@id='{value}']",
            )


@XDS.rule(
    "XDS-022",
    "Chaque DocumentEntry a son Document, et réciproquement",
    reference=iti("Vol. 2, 3.41.4.1.2"),
    bad=lambda: example.iti41(example.remove("//xdsb:Document[1]")),
)
def documents(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    written = [element.get("id", "") for element in xds.document_elements]
    entries = [item.id for item in xds.entries]
    for item in entries:
        if written.count(item) != 1:
            yield Broken(
                message="Cette entrée n'a pas un Document et un seul.",
                expected="1",
                actual=str(written.count(item)),
                where=f"//ExtrinsicObject[@id='{item}']",
            )
    for item in written:
        if item not in entries:
            yield Broken(
                message="Ce Document n'a pas d'entrée.",
                actual=item,
                where=f"//Document[@id='{item}']",
            )


def _links(xds: Submission, type: str) -> list[tuple[str, str, etree._Element]]:
    return [
        (link.get("sourceObject", ""), link.get("targetObject", ""), link)
        for link in xds.associations
        if link.get("associationType") == type
    ]


@XDS.rule(
    "XDS-023",
    "HasMember lie le SubmissionSet à chaque entrée, de statut Original",
    reference=_ENTRY_HASMEMBER,
    bad=lambda: example.iti41(links=lambda links: links[1:]),
)
def has_member(xds: Submission) -> Findings:
    links = _links(xds, AssociationType.HAS_MEMBER)
    sets = [item.id for item in xds.sets]
    for entry in xds.entries:
        own = [link for source, target, link in links if target == entry.id and source in sets]
        if len(own) != 1:
            yield Broken(
                message="L'entrée n'est pas membre du lot par une association.",
                expected="1",
                actual=str(len(own)),
                where=entry.where(),
            )
        for link in own:
            status = link.findtext(
                f"{_RIM}Slot[@name='{SlotName.SUBMISSION_SET_STATUS}']/{_RIM}ValueList/{_RIM}Value"
            )
            yield from same(
                (status or "").strip(), "Original", entry.where(), "SubmissionSetStatus"
            )


@XDS.rule(
    "XDS-024",
    "L'association signs va de la signature au SubmissionSet",
    reference=TD21,
    bad=lambda: example.iti41(links=lambda links: links[:2]),
)
def signs(xds: Submission) -> Findings:
    links = _links(xds, AssociationType.SIGNS)
    sets = [item.id for item in xds.sets]
    for entry in xds.signatures:
        targets = [target for source, target, _ in links if source == entry.id]
        if targets != sets:
            yield Broken(
                message="La signature ne désigne pas le lot qu'elle signe.",
                expected=" ".join(sets),
                actual=" ".join(targets),
                where=entry.where(),
            )


_KNOWN = (
    AssociationType.HAS_MEMBER,
    AssociationType.SIGNS,
    AssociationType.REPLACE,
    AssociationType.APPEND,
    AssociationType.TRANSFORM,
    AssociationType.TRANSFORM_REPLACE,
)


@XDS.rule(
    "XDS-025",
    "Les associations sont d'un type connu et lient des objets du lot",
    reference=iti("Vol. 3, 4.2.2"),
    bad=lambda: example.iti41(links=lambda links: [replace(links[0], type="HasMember"), *links]),
)
def associations(xds: Submission) -> Findings:
    ids = {item.id for item in (*xds.sets, *xds.entries)}
    for link in xds.associations:
        kind, where = link.get("associationType", ""), f"//Association[@id='{link.get('id', '')}']"
        if kind not in _KNOWN:
            yield Broken(message="Ce type d'association est inconnu.", actual=kind, where=where)
        for side in ("sourceObject", "targetObject"):
            value = link.get(side, "")
            if value not in ids and not value.startswith("urn:uuid:"):
                yield Broken(
                    message="L'association ne désigne ni un objet du lot ni un entryUUID.",
                    actual=value,
                    where=f"{where}/@{side}",
                )


@XDS.rule(
    "XDS-026",
    "Un remplacement (RPLC) désigne l'entryUUID de l'entrée remplacée",
    reference=iti("Vol. 3, 4.2.2.2"),
    bad=lambda: example.iti41(
        links=lambda links: [
            *links,
            Association(
                type=AssociationType.REPLACE,
                source=example.KOS_ID,
                target=example.SIGNATURE_ID,
                id="a4",
            ),
        ]
    ),
)
def replacement(xds: Submission) -> Findings:
    for source, target, link in _links(xds, AssociationType.REPLACE):
        where = f"//Association[@id='{link.get('id', '')}']"
        if not target.startswith("urn:uuid:"):
            yield Broken(
                message="La cible d'un remplacement est une entrée du registre.",
                expected="urn:uuid:…",
                actual=target,
                where=where,
            )
        if source not in {item.id for item in xds.entries}:
            yield Broken(
                message="La source d'un remplacement est une entrée du lot.",
                actual=source,
                where=where,
            )


@XDS.rule(
    "XDS-028",
    "Classifications et identifiants externes désignent l'objet qui les porte",
    reference=w3c("OASIS ebRIM 3.0", "ClassificationType"),
    bad=lambda: example.iti41(
        example.edit(
            f"//rim:ExtrinsicObject[@id='{example.KOS_ID}']/rim:Classification",
            "classifiedObject",
            example.SIGNATURE_ID,
        )
    ),
)
def own_objects(xds: Submission) -> Findings:
    for item in (*xds.sets, *xds.entries):
        for name, attribute in (
            ("Classification", "classifiedObject"),
            ("ExternalIdentifier", "registryObject"),
        ):
            for child in item.element.findall(f"{_RIM}{name}"):
                yield from same(
                    child.get(attribute, ""),
                    item.id,
                    item.where(f"{name}[@id='{child.get('id', '')}']/@{attribute}"),
                    attribute,
                )


@XDS.rule(
    "XDS-029",
    "Le lot porte au moins un KOS (application/dicom)",
    reference=TD21,
    requirements=("DB.SO.18", "DB.SO.19"),
    bad=lambda: example.iti41(entry={"mime_type": "text/xml"}),
)
def has_manifest(xds: Submission) -> Findings:
    if not xds.manifests:
        yield Broken(
            message="Aucune entrée n'est un objet DICOM.",
            expected="application/dicom",
            actual=" ".join(item.element.get("mimeType", "") for item in xds.entries),
            where="//ExtrinsicObject/@mimeType",
        )


@XDS.rule(
    "XDS-030",
    "Les entrées sont des documents stables",
    reference=iti("Vol. 3, 4.2.5.2"),
    bad=lambda: example.iti41(
        entry={"object_type": "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"}
    ),
)
def stable(xds: Submission) -> Findings:
    for item in xds.entries:
        written = item.element.get("objectType", "")
        yield from same(written, STABLE_DOCUMENT, item.where("@objectType"), "objectType")


@XDS.rule(
    "XDS-031",
    "Chaque code a un libellé et un codingScheme",
    reference=iti("Vol. 3, 4.2.3.1.2"),
    bad=lambda: example.iti41(
        example.remove(
            f"//rim:ExtrinsicObject[@id='{example.KOS_ID}']/rim:Classification[rim:Name]/rim:Name"
        )
    ),
)
def codes_are_complete(xds: Submission) -> Findings:
    for item, scheme in _coded(xds):
        for code in item.codes(scheme):
            where = item.where(f"Classification[@id='{code.element.get('id', '')}']")
            if not code.value:
                yield Broken(message="nodeRepresentation est vide.", where=where)
            if len(code.schemes) != 1 or not code.schemes[0]:
                yield Broken(
                    message="codingScheme n'a pas une valeur et une seule.",
                    expected="1",
                    actual=str(len(code.schemes)),
                    where=where,
                )
            if not code.display:
                yield Broken(message="Le code n'a pas de libellé.", actual=code.value, where=where)


_CODED = tuple(scheme for scheme in EntryScheme if scheme.name.endswith("_CODE"))


def _coded(xds: Submission) -> list[tuple[RegistryObject, str]]:
    found: list[tuple[RegistryObject, str]] = [
        (item, scheme) for item in xds.entries for scheme in _CODED
    ]
    return found + [(item, SetScheme.CONTENT_TYPE_CODE) for item in xds.sets]


@XDS.rule(
    "XDS-032",
    "Aucune classification n'emploie un schéma étranger à l'objet",
    reference=iti("Vol. 3, 4.2.5.1"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        example.edit(
            f"//rim:RegistryPackage/rim:Classification[@classificationScheme='{SetScheme.AUTHOR}']",
            "classificationScheme",
            EntryScheme.AUTHOR,
        )
    ),
)
def known_schemes(xds: Submission) -> Findings:
    # A frequent mistake: the submission set's author under the document entry's scheme.
    for items, known in ((xds.sets, set(SetScheme)), (xds.entries, set(EntryScheme))):
        for item in items:
            for child in item.element.findall(f"{_RIM}Classification[@classificationScheme]"):
                scheme = child.get("classificationScheme", "")
                if scheme not in {str(one) for one in known}:
                    yield Broken(
                        message="Ce schéma n'est pas l'un de ceux de l'objet.",
                        actual=scheme,
                        where=item.where(f"Classification[@id='{child.get('id', '')}']"),
                    )


@XDS.rule(
    "XDS-033",
    "L'objectType d'une association, s'il est écrit, est le sien",
    reference=w3c("OASIS ebRIM 3.0", "AssociationType"),
    bad=lambda: example.iti41(example.edit("//rim:Association", "objectType", STABLE_DOCUMENT)),
)
def association_types(xds: Submission) -> Findings:
    for link in xds.associations:
        written = link.get("objectType")
        if written is not None:
            where = f"//Association[@id='{link.get('id', '')}']/@objectType"
            yield from same(written, ASSOCIATION_OBJECT_TYPE, where, "objectType")


@XDS.rule(
    "XDS-034",
    "La classification d'un auteur ne porte pas de code",
    reference=iti("Vol. 3, 4.2.3.1.4"),
    bad=lambda: example.iti41(_coded_authors),
)
def authors_are_no_codes(xds: Submission) -> Findings:
    for items, scheme in ((xds.sets, SetScheme.AUTHOR), (xds.entries, EntryScheme.AUTHOR)):
        for item in items:
            for child in item.classifications(scheme):
                where = item.where(f"Classification[@id='{child.get('id', '')}']")
                yield from same(child.get("nodeRepresentation", ""), "", where, "Le code")


def _coded_authors(root: etree._Element) -> None:
    for element in root.iter(f"{_RIM}Classification"):
        if element.get("classificationScheme") in (SetScheme.AUTHOR, EntryScheme.AUTHOR):
            element.set("nodeRepresentation", "auteur")
