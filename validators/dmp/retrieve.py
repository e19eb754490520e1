"""ITI-43, the request: documents by repository and uniqueId (TD3.2)."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from protocols.ebrim import DocumentRequest
from protocols.xml import NS
from spec.dmp import REPOSITORY_OID
from spec.vihf import AttributeName, AuthenticationMode
from spec.xds import Action
from validators.dmp.addressing import GIE, GIE_RIGHTS, request_rules
from validators.dmp.reading import Message, request
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples import kos as manifest
from validators.examples import vihf as assertion
from validators.examples.xds import edit, remove
from validators.finding import Severity
from validators.identifiers import is_oid
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.vihf import EVERYWHERE, VIHF
from validators.xds.assertion import parsed
from validators.xds.assertion import path as attribute_path
from validators.xds.rules import Findings, iti, same
from validators.xds.values import oid

__all__ = ["RETRIEVE", "read"]

_XDSB = f"{{{NS['xdsb']}}}"

read = request(f"{_XDSB}RetrieveDocumentSetRequest")

RETRIEVE = RuleSet(
    "iti-43",
    good=example.retrieve,
    syntax="ITI43-000",
    unreadable=lambda: b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Envelope",
    reference=iti("Vol. 2, 3.43"),
    requirements=("DB.CO.54", "DB.CO.67"),
)

request_rules(RETRIEVE, "ITI43", Action.RETRIEVE, example.retrieve)
inherit(RETRIEVE, VIHF, EVERYWHERE, example=lambda data: example.retrieve(assertion=data))
structure_rules(RETRIEVE, example.retrieve, faulty=remove("//xdsb:DocumentRequest"))


def _requests(message: Message) -> list[tuple[etree._Element, str]]:
    """Each DocumentRequest, and an XPath to it."""
    found = message.body.findall(f"{_XDSB}DocumentRequest")
    return [(one, f"//DocumentRequest[{rank}]") for rank, one in enumerate(found, start=1)]


def _text(element: etree._Element, name: str) -> str:
    return (element.findtext(f"{_XDSB}{name}") or "").strip()


@RETRIEVE.rule(
    "ITI43-021",
    "L'entrepôt de chaque document est un OID",
    reference=iti("Vol. 2, 3.43.4.1.2"),
    bad=lambda: example.retrieve(edit("//xdsb:RepositoryUniqueId", value="dmp")),
)
def repository(message: Message) -> Findings:
    for one, where in _requests(message):
        value = _text(one, "RepositoryUniqueId")
        yield from oid(value, f"{where}/RepositoryUniqueId", "RepositoryUniqueId")


@RETRIEVE.rule(
    "ITI43-022",
    "L'entrepôt est celui du DMP",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.retrieve(None, DocumentRequest("1.2.3", manifest.UID)),
)
def repository_of_dmp(message: Message) -> Findings:
    for one, where in _requests(message):
        written = _text(one, "RepositoryUniqueId")
        if is_oid(written):
            place = f"{where}/RepositoryUniqueId"
            yield from same(written, REPOSITORY_OID, place, "RepositoryUniqueId")


@RETRIEVE.rule(
    "ITI43-023",
    "Le document est désigné par son uniqueId, jamais par son entryUUID",
    reference=iti("Vol. 2, 3.43.4.1.2"),
    bad=lambda: example.retrieve(None, DocumentRequest(REPOSITORY_OID, example.ENTRY_UUID)),
)
def unique_id(message: Message) -> Findings:
    for one, where in _requests(message):
        value = _text(one, "DocumentUniqueId")
        if not is_oid(value):
            yield Broken(
                message="Ce n'est pas un uniqueId.",
                expected="OID",
                actual=value,
                where=f"{where}/DocumentUniqueId",
            )


@RETRIEVE.rule(
    "ITI43-024",
    "Un document n'est demandé qu'une fois",
    reference=iti("Vol. 2, 3.43.4.1.2"),
    severity=Severity.WARNING,
    bad=lambda: example.retrieve(
        None, *[DocumentRequest(REPOSITORY_OID, manifest.UID) for _ in range(2)]
    ),
)
def once(message: Message) -> Findings:
    counted = Counter(_text(one, "DocumentUniqueId") for one, _ in _requests(message))
    for value, count in counted.items():
        if count > 1:
            yield Broken(
                message="Ce document est demandé plusieurs fois.",
                expected="1",
                actual=f"{value}, {count}",
                where="//DocumentRequest",
            )


@RETRIEVE.rule(
    "ITI43-025",
    "HomeCommunityId n'est pas employé au DMP",
    reference=GIE,
    severity=Severity.INFO,
    bad=lambda: example.retrieve(
        None, DocumentRequest(REPOSITORY_OID, manifest.UID, "urn:oid:1.2.3")
    ),
)
def home(message: Message) -> Findings:
    # Absent from the official example, sent by one client that the DMP serves.
    for one, where in _requests(message):
        value = _text(one, "HomeCommunityId")
        if value:
            yield Broken(
                message="L'exemple officiel ne porte pas HomeCommunityId.",
                actual=value,
                where=f"{where}/HomeCommunityId",
            )


@RETRIEVE.rule(
    "ITI43-027",
    "Un document ne se lit pas en mode INDIRECTE",
    reference=GIE_RIGHTS,
    bad=lambda: example.retrieve(assertion=assertion.vihf()),
)
def mode(message: Message) -> Findings:
    name = AttributeName.AUTHENTIFICATION_MODE
    for said in parsed(message):
        if said.text(name) == AuthenticationMode.INDIRECTE:
            yield Broken(
                message="Le mode INDIRECTE ne permet pas de consulter.",
                expected=AuthenticationMode.INDIRECTE_RENFORCEE,
                actual=said.text(name),
                where=attribute_path(name),
            )
