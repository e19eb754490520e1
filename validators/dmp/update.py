"""ITI-57: the status of a document that changes (TD3.3c, TD3.3d), or its metadata (TD3.3a, b)."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from protocols.xml import NS
from spec.grade import Grade, Reference
from spec.vihf import AttributeName, AuthenticationMode
from spec.xds import (
    ASSOCIATION_OBJECT_TYPE,
    Action,
    AssociationType,
    EntryScheme,
    SetScheme,
    SlotName,
    Status,
)
from validators.dmp.addressing import GIE, GIE_RIGHTS, request_rules
from validators.dmp.reading import Message, request
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples import vihf as assertion
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.vihf import EVERYWHERE, VIHF
from validators.xds.assertion import parsed
from validators.xds.assertion import path as attribute_path
from validators.xds.reading import Submission
from validators.xds.rules import XDS, Findings, iti, same, w3c

__all__ = ["UPDATE", "read"]

_LCM = f"{{{NS['lcm']}}}"
_RIM = f"{{{NS['rim']}}}"
_LINK = "//rim:Association"
_CHANGE = AssociationType.UPDATE_AVAILABILITY_STATUS

_OLD_ARCHIVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Archived"
"""What older example code wrote for an archived document (GIE SESAM-Vitale kit)."""
_MOVES = (
    (Status.APPROVED, Status.DELETED),
    (Status.ARCHIVED, Status.DELETED),
    (Status.APPROVED, Status.ARCHIVED),
    (Status.ARCHIVED, Status.APPROVED),
)

read = request(f"{_LCM}SubmitObjectsRequest")

UPDATE = RuleSet(
    "iti-57",
    good=example.update,
    syntax="ITI57-000",
    unreadable=lambda: b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Envelope",
    reference=iti("Vol. 2, 3.57"),
    requirements=("DB.SO.19", "DB.SO.26"),
)


def _spoiled(tamper: Tamper | None) -> bytes:
    return example.update(tamper)


def _lot(message: Message) -> Iterator[tuple[str, Submission]]:
    yield "", message.lot


request_rules(UPDATE, "ITI57", Action.UPDATE, _spoiled)
inherit(UPDATE, VIHF, EVERYWHERE, example=lambda data: example.update(assertion=data))
inherit(
    UPDATE,
    XDS,
    ("XDS-020", *(f"XDS-{number:03}" for number in range(40, 47)), "XDS-032", "XDS-034", "XDS-049"),
    example=example.update_of,
    parts=_lot,
)
inherit(UPDATE, XDS, ("VIHF-022", "VIHF-023"), example=example.update_of, parts=_lot)
inherit(
    UPDATE,
    XDS,
    ("XDS-021",),
    example=lambda _: example.update(edit(_LINK, "id", "SubmissionSet01")),
    parts=_lot,
)


inherit(
    UPDATE,
    XDS,
    ("XDS-031",),
    example=lambda _: example.update(remove("//rim:Classification[rim:Name]/rim:Name")),
    parts=_lot,
)
inherit(
    UPDATE,
    XDS,
    ("XDS-181",),
    example=lambda _: example.update(remove("//rim:ExternalIdentifier/rim:Name")),
    parts=_lot,
)


def _slot_last(root: etree._Element) -> None:
    lot = next(root.iter(f"{_RIM}RegistryPackage"))
    lot.append(lot[0])


structure_rules(
    UPDATE,
    example.update,
    faulty=remove("//rim:Slot/rim:ValueList"),
    disordered=_slot_last,
)


def _links(message: Message, type: str = _CHANGE) -> list[tuple[etree._Element, str]]:
    """The associations of a type, and an XPath to each."""
    return [
        (link, f"//Association[@id='{link.get('id', '')}']")
        for link in message.lot.associations
        if link.get("associationType") == type
    ]


def _slot(link: etree._Element, name: str) -> list[str]:
    path = f"{_RIM}Slot[@name='{name}']/{_RIM}ValueList/{_RIM}Value"
    return [(value.text or "").strip() for value in link.findall(path)]


@UPDATE.rule(
    "ITI57-020",
    "Le lot change le statut d'un document, ou en donne une nouvelle version de métadonnées",
    reference=iti("Vol. 2, 3.57.4.1.3"),
    bad=lambda: example.update(type=AssociationType.HAS_MEMBER),
)
def changes_something(message: Message) -> Findings:
    if not _links(message) and not message.lot.entries:
        yield Broken(
            message="Ce lot ne change rien.",
            expected=_CHANGE,
            actual=" ".join(link.get("associationType", "") for link in message.lot.associations),
            where="//Association",
        )


@UPDATE.rule(
    "ITI57-021",
    "Un changement de statut va du lot à l'entryUUID du document",
    reference=iti("Vol. 2, 3.57.4.1.3.3.2"),
    bad=lambda: example.update(target="1.2.250.1.999.1.1.8121.7.1"),
)
def ends(message: Message) -> Findings:
    sets = [item.id for item in message.lot.sets]
    for link, where in _links(message):
        if link.get("sourceObject", "") not in sets:
            yield Broken(
                message="La source n'est pas le lot.",
                expected=" ".join(sets),
                actual=link.get("sourceObject", ""),
                where=f"{where}/@sourceObject",
            )
        if not link.get("targetObject", "").startswith("urn:uuid:"):
            yield Broken(
                message="La cible n'est pas un entryUUID.",
                expected="urn:uuid:…",
                actual=link.get("targetObject", ""),
                where=f"{where}/@targetObject",
            )


@UPDATE.rule(
    "ITI57-022",
    "OriginalStatus et NewStatus ont une valeur chacun",
    reference=iti("Vol. 2, 3.57.4.1.3.3.2"),
    bad=lambda: example.update(remove(f"{_LINK}/rim:Slot[@name='OriginalStatus']")),
)
def both_statuses(message: Message) -> Findings:
    for link, where in _links(message):
        for name in (SlotName.ORIGINAL_STATUS, SlotName.NEW_STATUS):
            values = _slot(link, name)
            if len(values) != 1 or not values[0]:
                yield Broken(
                    message=f"{name} doit avoir une valeur et une seule.",
                    expected="1",
                    actual=str(len(values)),
                    where=f"{where}/Slot[@name='{name}']",
                )


@UPDATE.rule(
    "ITI57-023",
    "Le changement de statut est de ceux du DMP",
    reference=Reference("ANS, TRE_R270-AvailabilityStatus", "TD3.3c, TD3.3d", Grade.STANDARD),
    bad=lambda: example.update(after=Status.DEPRECATED),
)
def known_change(message: Message) -> Findings:
    for link, where in _links(message):
        before = _slot(link, SlotName.ORIGINAL_STATUS)
        after = _slot(link, SlotName.NEW_STATUS)
        if len(before) != 1 or len(after) != 1:
            continue
        start = Status.ARCHIVED if before[0] == _OLD_ARCHIVED else before[0]
        if (start, after[0]) not in _MOVES:
            yield Broken(
                message="Le DMP ne connaît pas ce changement de statut.",
                expected=" | ".join(f"{one.name} vers {two.name}" for one, two in _MOVES),
                actual=f"{before[0]} vers {after[0]}",
                where=where,
            )


@UPDATE.rule(
    "ITI57-024",
    "Le statut archivé est celui de TRE_R270",
    reference=GIE,
    tolerated=True,
    bad=lambda: example.update(before=_OLD_ARCHIVED),
)
def archived(message: Message) -> Findings:
    for link, where in _links(message):
        for name in (SlotName.ORIGINAL_STATUS, SlotName.NEW_STATUS):
            if _OLD_ARCHIVED in _slot(link, name):
                yield Broken(
                    message="Ce statut n'est pas celui de l'ANS.",
                    expected=Status.ARCHIVED,
                    actual=_OLD_ARCHIVED,
                    where=f"{where}/Slot[@name='{name}']",
                )


@UPDATE.rule(
    "ITI57-025",
    "L'objectType de l'association est le sien",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.update(edit(_LINK, "objectType", "urn:kit:autre")),
)
def object_type(message: Message) -> Findings:
    for link, where in _links(message):
        written = link.get("objectType", "")
        yield from same(written, ASSOCIATION_OBJECT_TYPE, f"{where}/@objectType", "objectType")


@UPDATE.rule(
    "ITI57-026",
    "Classifications et identifiants externes désignent l'objet qui les porte",
    reference=w3c("OASIS ebRIM 3.0", "ClassificationType"),
    tolerated=True,
    bad=lambda: example.update(
        edit("//rim:RegistryPackage/rim:ExternalIdentifier", "registryObject", "autre")
    ),
)
def own_objects(message: Message) -> Findings:
    # The official TD3.3c examples leave these attributes out; ITI-41 ones write them.
    for item in (*message.lot.sets, *message.lot.entries):
        for name, attribute in (
            ("Classification", "classifiedObject"),
            ("ExternalIdentifier", "registryObject"),
        ):
            for child in item.element.findall(f"{_RIM}{name}"):
                place = item.where(f"{name}[@id='{child.get('id', '')}']/@{attribute}")
                yield from same(child.get(attribute, ""), item.id, place, attribute)


@UPDATE.rule(
    "ITI57-027",
    "Un changement de statut ne porte ni entrée ni document",
    reference=iti("Vol. 2, 3.57.4.1.3.3.2"),
    bad=lambda: example.update(_with_entry),
)
def alone(message: Message) -> Findings:
    if _links(message) and (message.lot.entries or message.package.parts):
        yield Broken(
            message="Un changement de statut n'accompagne pas une entrée.",
            expected="0",
            actual=f"{len(message.lot.entries)} entrée(s), {len(message.package.parts)} partie(s)",
            where="//ExtrinsicObject",
        )


def _with_entry(root: etree._Element) -> None:
    objects = next(root.iter(f"{_RIM}RegistryObjectList"))
    etree.SubElement(objects, f"{_RIM}ExtrinsicObject", {"id": "DocumentKOS"})


@UPDATE.rule(
    "ITI57-028",
    "Une nouvelle version de métadonnées nomme l'identifiant logique et la version précédente",
    reference=iti("Vol. 2, 3.57.4.1.3.3.1"),
    bad=lambda: example.update(_new_version),
)
def new_version(message: Message) -> Findings:
    if _links(message):
        return
    members = {
        link.get("targetObject", ""): link
        for link, _ in _links(message, AssociationType.HAS_MEMBER)
    }
    for item in message.lot.entries:
        link = members.get(item.id)
        previous = [] if link is None else _slot(link, SlotName.PREVIOUS_VERSION)
        logical = item.element.get("lid", "")
        if not logical.startswith("urn:uuid:") or len(previous) != 1 or not previous[0].isdigit():
            yield Broken(
                message="lid ou PreviousVersion manque.",
                expected="urn:uuid:…, un nombre",
                actual=f"{logical}, {' '.join(previous)}",
                where=item.where(),
            )


def _new_version(root: etree._Element) -> None:
    _with_entry(root)
    edit(_LINK, "associationType", AssociationType.HAS_MEMBER)(root)


@UPDATE.rule(
    "ITI57-029",
    "Le lot a un uniqueId qui n'est pas celui d'un document",
    reference=iti("Vol. 3, 4.2.3.3.12"),
    bad=lambda: example.update(
        edit(
            f"//rim:ExternalIdentifier[@identificationScheme='{SetScheme.UNIQUE_ID}']",
            "identificationScheme",
            EntryScheme.UNIQUE_ID,
        )
    ),
)
def set_identifiers(message: Message) -> Findings:
    for item in message.lot.sets:
        for scheme in (EntryScheme.UNIQUE_ID, EntryScheme.PATIENT_ID):
            for value in item.externals(scheme):
                yield Broken(
                    message="Cet identifiant est celui d'une entrée, pas d'un lot.",
                    actual=value,
                    where=item.where("ExternalIdentifier"),
                )


@UPDATE.rule(
    "ITI57-030",
    "Une DRIMbox source dépublie en mode INDIRECTE",
    reference=GIE_RIGHTS,
    severity=Severity.WARNING,
    bad=lambda: example.update(assertion=assertion.air()),
)
def mode(message: Message) -> Findings:
    # AIR lets a professional delete his own documents only; direct modes are no DRIMbox's.
    name = AttributeName.AUTHENTIFICATION_MODE
    for said in parsed(message):
        if said.text(name) == AuthenticationMode.INDIRECTE_RENFORCEE:
            where = attribute_path(name)
            yield from same(said.text(name), AuthenticationMode.INDIRECTE, where, "Le mode")
