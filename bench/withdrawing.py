"""What a run has left in the DMP, and how it is taken back: through the Source, or at the DMP.

The Source is the right way: it is asked by the RIS (ORC-1 = CA, OBX-11 = D), depublishes by TD3.3c
and marks its own archive (ANS FAQ on the life cycle of a KOS, grade: faq; DB.SO.97, grade: draft).
At the DMP only the structure that published may do it, and no archive knows (access matrix of
PDT-INF-526, grade: sample): that way is for a Source that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import pybase64

from bench.journal import Journal
from bench.submissions import accepted, changes, package
from protocols import cda, ebrim, hl7v2, kos, saml, soap
from protocols.ebrim import SubmissionSet
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX
from simulators.ris.report import timestamp
from simulators.ris.service import Ack
from spec.dmp import KOS_TYPE_CODE
from spec.hl7v2 import DOCUMENT_STATUSES
from spec.xds import AssociationType, SlotName, Status
from wire.exchange import Exchange

__all__ = ["Carrier", "Publication", "carriers_of", "deletion_of", "publications_of"]

_CANCEL = "CA"
_EVENT_OF_DELETION = "T04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A KOS that a run left in force: what the DMP was told of it."""

    kos_uid: str
    study_uid: str
    matricule: str
    structure: str
    """National identifier of the structure that published."""
    hosts: frozenset[str]
    """Of the RetrieveURLs: which Source published it."""
    lot: SubmissionSet
    assertion: saml.Assertion


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The message that carried the last version of a report."""

    report: str
    """Id of the CDA document."""
    studies: frozenset[str]
    message: bytes = field(repr=False)


def publications_of(journal: Journal) -> tuple[Publication, ...]:
    """The KOS that the DMP took and that nothing withdrew since: the last one of each study."""
    in_force: dict[str, Publication] = {}
    known: dict[str, str] = {}
    for exchange in _exchanges(journal):
        match exchange.transaction:
            case "ITI-41" if accepted(exchange):
                in_force |= {one.study_uid: one for one in _published(exchange)}
            case "ITI-18":
                known |= dict(_referred(exchange))
            case "ITI-57" if accepted(exchange):
                gone = {known.get(uuid) for uuid in _deleted(exchange)}
                in_force = {s: one for s, one in in_force.items() if one.kos_uid not in gone}
    return tuple(in_force.values())


def carriers_of(journal: Journal) -> tuple[Carrier, ...]:
    """The report messages that a Source took, the last one of each set of versions; none of those
    that were withdrawn already.
    """
    found: dict[str, Carrier] = {}
    for exchange in _exchanges(journal):
        if exchange.transaction.split("^")[0] not in ("ORU", "MDM") or not _taken(exchange):
            continue
        assert exchange.request is not None
        try:
            message = hl7v2.parse(exchange.request.body)
            report = cda.parse(_document(message))
        except RemoteProtocolError:
            continue  # a scenario sends anything
        versions = report.set_id or report.id
        if versions is None or report.id is None:
            continue
        if message.value("ORC-1") == _CANCEL:
            found.pop(str(versions), None)
            continue
        studies = (one.id.root for one in report.service_events if one.id is not None)
        found[str(versions)] = Carrier(
            report=report.id.root or "",
            studies=frozenset(uid for uid in studies if uid),
            message=exchange.request.body,
        )
    return tuple(found.values())


def deletion_of(message: bytes, *, control_id: str, moment: datetime) -> bytes:
    """The message that withdraws the report which another one carried: last version, unchanged.

    Réf.: CI-SIS, evenements-declenchants, grade: standard.

    Raises:
        Hl7SyntaxError: not an HL7 message.
    """
    read = hl7v2.parse(message)
    date = timestamp(moment)
    edits = {"MSH-7": date, "MSH-10": control_id, "ORC-1": _CANCEL}
    rank = next((n for n, one in enumerate(read.all("OBX"), 1) if one.field(2).value == "ED"), 1)
    edits[f"OBX[{rank}]-11"] = DOCUMENT_STATUSES[_CANCEL]
    if read.value("MSH-9.1") == "MDM":
        edits |= {"MSH-9.2": _EVENT_OF_DELETION, "EVN-1": _EVENT_OF_DELETION, "EVN-2": date}
        edits["TXA-13"] = ""
    places = [
        (element.span, value) for path, value in edits.items() if (element := read.find(path))
    ]
    data = read.raw
    for (start, end), value in sorted(places, reverse=True):
        data = data[:start] + value.encode("ascii") + data[end:]
    return data


def _exchanges(journal: Journal) -> Iterator[Exchange]:
    return (journal.exchange(event) for event in journal.of("exchange"))


def _taken(exchange: Exchange) -> bool:
    if exchange.request is None or exchange.response is None:
        return False
    try:
        return Ack.read(exchange.response.body).accepted
    except RemoteProtocolError:
        return False


def _document(message: hl7v2.Message) -> bytes:
    for one in message.all("OBX"):
        if one.field(2).value == "ED":
            try:
                return pybase64.b64decode(one.field(5).component(5).text, validate=True)
            except ValueError:
                return b""
    return b""


def _published(exchange: Exchange) -> Iterator[Publication]:
    """The KOS of an ITI-41, with the lot and the VIHF that came with them."""
    request = package(exchange.request)
    if request is None:
        return
    try:
        envelope = soap.parse(request.envelope)
        if envelope.body is None or envelope.security is None:
            return
        submission = ebrim.parse_submit(envelope.body)
        assertion = saml.parse(envelope.security)
        lot = submission.submission_set
        documents = dict(submission.documents)
        for entry in submission.entries:
            if entry.type_code is None or entry.type_code.code != KOS_TYPE_CODE[0]:
                continue
            manifest = kos.decode(request.resolve(documents[entry.id]))
            yield Publication(
                kos_uid=entry.unique_id,
                study_uid=manifest.study_uid or "",
                matricule=CX.parse(lot.patient_id).id,
                structure=assertion.text("Identifiant_Structure"),
                hosts=frozenset(
                    host for one in manifest.series() if (host := _host(one.retrieve_url or ""))
                ),
                lot=lot,
                assertion=assertion,
            )
    except (RemoteProtocolError, KeyError):
        return  # nothing that can be withdrawn


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""  # a box under test writes anything


def _referred(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """entryUUID -> uniqueId, as the DMP answered a search by uniqueId (TD3.1b)."""
    request, answer = package(exchange.request), package(exchange.response)
    if request is None or answer is None:
        return
    try:
        asked, told = soap.parse(request.envelope).body, soap.parse(answer.envelope).body
        if asked is None or told is None:
            return
        uid = ebrim.parse_query(asked).value("$XDSDocumentEntryUniqueId")
        response = ebrim.parse_query_response(told)
    except RemoteProtocolError:
        return
    if uid:
        yield from ((ref, uid) for ref in response.refs)
        yield from ((entry.id, uid) for entry in response.entries)


def _deleted(exchange: Exchange) -> Iterator[str]:
    for link in changes(exchange):
        if (
            link.type == AssociationType.UPDATE_AVAILABILITY_STATUS
            and link.value(SlotName.NEW_STATUS) == Status.DELETED
        ):
            yield link.target
