"""ITI-18, the answer: what the registry says, and each entry that it lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lxml import etree

from protocols.xml import NS
from spec.dmp import REPOSITORY_OID
from spec.xds import Action, ResponseStatus, SlotName, Status
from validators.context import Context
from validators.dmp.addressing import GIE, answer_rules
from validators.dmp.outcome import outcome_rules
from validators.dmp.reading import Message, answer, earlier
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject
from validators.xds.rules import XDS, Findings, iti, same
from validators.xds.values import oid, single

__all__ = ["QUERY_ANSWER", "read"]

_RIM = f"{{{NS['rim']}}}"
_QUERY = f"{{{NS['query']}}}"
_ENTRY = "//rim:ExtrinsicObject"

read = answer(f"{_QUERY}AdhocQueryResponse")

QUERY_ANSWER = RuleSet(
    "iti-18-response",
    good=example.query_answer,
    syntax="ITI18-100",
    unreadable=lambda: b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a/>",
    reference=iti("Vol. 2, 3.18"),
    requirements=("DB.CO.54",),
)


def _spoiled(tamper: Tamper | None) -> bytes:
    return example.query_answer(tamper)


answer_rules(QUERY_ANSWER, "ITI18", (Action.STORED_QUERY.answer,), _spoiled)
outcome_rules(QUERY_ANSWER, "ITI18", example.query_answer, partial=True)


def _lot(message: Message) -> Iterator[tuple[str, Submission]]:
    yield "", message.lot


_OF_ENTRIES = (
    *("XDS-028", "XDS-030", "XDS-031", "XDS-034"),
    *(f"XDS-{number:03}" for number in range(50, 59)),
    *("XDS-063", "XDS-064", "XDS-065", "XDS-066", "XDS-067", "XDS-068", "XDS-069"),
    *(f"XDS-{number:03}" for number in range(70, 79)),
    *(f"XDS-{number:03}" for number in range(80, 86)),
    "XDS-094",
)


inherit(
    QUERY_ANSWER,
    XDS,
    _OF_ENTRIES,
    example=lambda data: example.query_answer(message=data),
    parts=_lot,
    requirements=QUERY_ANSWER.requirements,
)


inherit(
    QUERY_ANSWER,
    XDS,
    ("XDS-181",),
    example=lambda _: example.query_answer(remove("//rim:ExternalIdentifier/rim:Name")),
    parts=_lot,
    requirements=QUERY_ANSWER.requirements,
)


def _slot_last(root: etree._Element) -> None:
    entry = next(root.iter(f"{_RIM}ExtrinsicObject"))
    entry.append(entry[0])


structure_rules(
    QUERY_ANSWER,
    example.query_answer,
    faulty=remove("//rim:RegistryObjectList"),
    disordered=_slot_last,
)


def _objects(message: Message) -> list[etree._Element]:
    found = message.body.find(f"{_RIM}RegistryObjectList")
    return [] if found is None else [one for one in found if isinstance(one.tag, str)]


def _refs(message: Message) -> list[str]:
    return [one.get("id", "") for one in _objects(message) if one.tag == f"{_RIM}ObjectRef"]


@QUERY_ANSWER.rule(
    "ITI18-120",
    "totalResultCount compte les objets rendus",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.query_answer(total="3"),
)
def total(message: Message) -> Findings:
    written = message.body.get("totalResultCount")
    if written is not None and written != str(len(_objects(message))):
        yield Broken(
            message="Le nombre annoncé n'est pas celui des objets.",
            expected=str(len(_objects(message))),
            actual=written,
            where="/@totalResultCount",
        )


@QUERY_ANSWER.rule(
    "ITI18-121",
    "Un échec ne rend pas d'objet",
    reference=iti("Vol. 2, 3.18.4.1.2.7"),
    bad=lambda: example.query_answer(
        edit("//query:AdhocQueryResponse", "status", ResponseStatus.FAILURE)
    ),
)
def listed(message: Message) -> Findings:
    if message.status == ResponseStatus.FAILURE and _objects(message):
        yield Broken(
            message="Un échec ne rend pas d'objet.",
            expected="0",
            actual=str(len(_objects(message))),
            where="/RegistryObjectList",
        )


@QUERY_ANSWER.rule(
    "ITI18-122",
    "Chaque objet est désigné par son entryUUID, une seule fois",
    reference=iti("Vol. 3, 4.2.3.2.7"),
    bad=lambda: example.query_answer(edit(_ENTRY, "id", "DocumentKOS")),
)
def entry_uuids(message: Message) -> Findings:
    ids = _refs(message) + [item.id for item in message.lot.entries]
    for value, count in Counter(ids).items():
        if not value.startswith("urn:uuid:") or count > 1:
            yield Broken(
                message="Cet identifiant n'est pas un entryUUID, ou est répété.",
                expected="urn:uuid:…, une fois",
                actual=f"{value}, {count}",
                where=f"//*[@id='{value}']",
            )


@QUERY_ANSWER.rule(
    "ITI18-123",
    "Chaque entrée a un identifiant logique, un statut et une version",
    reference=GIE,
    bad=lambda: example.query_answer(edit(_ENTRY, "status", "Approved")),
)
def registered(message: Message) -> Findings:
    for item in message.lot.entries:
        version = item.element.find(f"{_RIM}VersionInfo")
        for name, value, fine in (
            ("@lid", item.element.get("lid", ""), lambda text: text.startswith("urn:uuid:")),
            ("@status", item.element.get("status", ""), lambda text: text in list(Status)),
            (
                "VersionInfo/@versionName",
                "1" if version is None else version.get("versionName", ""),
                str.isdigit,
            ),
        ):
            if not fine(value):
                yield Broken(
                    message=f"{name} n'est pas ce qu'un registre écrit.",
                    actual=value,
                    where=item.where(name),
                )


@QUERY_ANSWER.rule(
    "ITI18-124",
    "Chaque entrée dit de quel entrepôt vient son document",
    reference=iti("Vol. 3, 4.2.3.2.18"),
    bad=lambda: example.query_answer(remove(f"{_ENTRY}/rim:Slot[@name='repositoryUniqueId']")),
)
def repository(message: Message) -> Findings:
    for item in message.lot.entries:
        yield from single(item, SlotName.REPOSITORY_UNIQUE_ID)
        value = item.value(SlotName.REPOSITORY_UNIQUE_ID)
        where = item.slot_path(SlotName.REPOSITORY_UNIQUE_ID)
        if value:
            yield from oid(value, where, "repositoryUniqueId")


@QUERY_ANSWER.rule(
    "ITI18-125",
    "L'entrepôt est celui du DMP",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.query_answer(
        edit(f"{_ENTRY}/rim:Slot[@name='repositoryUniqueId']//rim:Value", value="1.2.3")
    ),
)
def repository_of_dmp(message: Message) -> Findings:
    for item in message.lot.entries:
        written = item.value(SlotName.REPOSITORY_UNIQUE_ID)
        where = item.slot_path(SlotName.REPOSITORY_UNIQUE_ID)
        if written:
            yield from same(written, REPOSITORY_OID, where, "repositoryUniqueId")


@QUERY_ANSWER.rule(
    "ITI18-126",
    "hash et size sont écrits, en hexadécimal et en octets",
    reference=iti("Vol. 3, table 4.2.3.2-1"),
    bad=lambda: example.query_answer(
        edit(f"{_ENTRY}/rim:Slot[@name='size']//rim:Value", value="12 ko")
    ),
)
def digest(message: Message) -> Findings:
    for item in message.lot.entries:
        for slot, fine in ((SlotName.HASH, _is_sha1), (SlotName.SIZE, str.isdigit)):
            yield from _digest(item, slot, fine(item.value(slot)))


def _digest(item: RegistryObject, slot: SlotName, fine: bool) -> Findings:
    if not fine:
        yield Broken(
            message=f"{slot} manque ou est illisible.",
            expected="40 chiffres hexadécimaux" if slot is SlotName.HASH else "un nombre",
            actual=item.value(slot),
            where=item.slot_path(slot),
        )


def _is_sha1(text: str) -> bool:
    return len(text) == 40 and all(digit in "0123456789abcdefABCDEF" for digit in text)


@QUERY_ANSWER.rule(
    "ITI18-128",
    "Chaque entrée dit le type de son document",
    reference=iti("Vol. 3, 4.2.3.2.15"),
    bad=lambda: example.query_answer(edit(_ENTRY, "mimeType", "")),
)
def mime_type(message: Message) -> Findings:
    for item in message.lot.entries:
        kind, slash, subtype = item.element.get("mimeType", "").partition("/")
        if not (kind and slash and subtype):
            yield Broken(
                message="mimeType manque ou est illisible.",
                actual=item.element.get("mimeType", ""),
                where=item.where("@mimeType"),
            )


@QUERY_ANSWER.rule(
    "ITI18-127",
    "La réponse a la forme demandée : entrées ou références",
    reference=iti("Vol. 2, 3.18.4.1.2.2"),
    given=Context(request=example.asked_query()),
    bad=lambda: example.query_answer(refs=[example.ENTRY_UUID]),
)
def shape(message: Message) -> Findings:
    asked = earlier(message.context)
    option = None if asked is None else asked[0].find(f"{_QUERY}ResponseOption")
    wanted = "" if option is None else option.get("returnType", "")
    strangers = {"LeafClass": f"{_RIM}ObjectRef", "ObjectRef": f"{_RIM}ExtrinsicObject"}
    for one in _objects(message):
        if one.tag == strangers.get(wanted):
            yield Broken(
                message="Cet objet n'est pas de la forme demandée.",
                expected=wanted,
                actual=etree.QName(one).localname,
                where=f"//*[@id='{one.get('id', '')}']",
            )
