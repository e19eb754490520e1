"""Sources that take reports wrongly: acknowledgement, identity, coherence, repetition."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from lxml import etree

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Acknowledger, Inbox, KosBuilder, Reports, Versions
from drimbox_ref.source.values import (
    Action,
    Fault,
    Kos,
    Refusal,
    ReportOrder,
)
from mutants.registry import mutant
from mutants.source.passing import PassingInbox, PassingKos, PassingReports
from protocols import cda

__all__: list[str] = []

_DOCUMENT = re.compile(rb"\^Base64\^([A-Za-z0-9+/=]+)")
"""OBX-5.4 and OBX-5.5."""
_NOT_FOR_DMP = re.compile(rb"(\|DESTDMP\^[^|]*\|[^|]*\|)N")
"""OBX-3 to OBX-5.1."""
_INS = re.compile(rb"\|(\d{6}[0-9AB]\d{8})\^\^\^[^|~]*\^INS")
"""PID-3."""
_WRITTEN = re.compile(rb'(extension=")\d{6}[0-9AB]\d{8}(")')
_TAG = re.compile(r"<[^>]*>")
_ODD_ESCAPE = re.compile(rb"\\Z|\\X4")


class Mute:
    """An `Acknowledger` that never says anything."""

    def accept(self, message: bytes) -> bytes | None:
        """Nothing."""
        return None

    def refuse(self, message: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        """Nothing."""
        return None


@mutant(
    "sans-acquittement",
    breaks="Aucun message HL7 n'est jamais acquitté.",
    requirements=("DB.SO.03",),
    # Whoever sends waits for an answer, whatever the message and the door are.
    consequences=(
        "DB.SO.04", "KIT-COMPTE-RENDU", "KIT-MLLP-TLS", "KIT-OMI",
        "KIT-SEC-HL7-03", "KIT-SEC-HL7-04",
    ),
)  # fmt: skip
def without_acknowledgement(parts: Parts) -> Parts:
    """Reports are worked on, but the RIS never knows."""
    return replace(parts, acknowledger=Mute())


class Credulous(PassingReports):
    """`Reports` that take any message, and publish whatever ORC-1 says."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Never a fault."""
        return ()

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """Always a creation."""
        return replace(order, action=Action.CREATE)


@mutant(
    "orc1-non-compare",
    breaks="ORC-1 et OBX-11 ne sont pas comparés : tout message vaut création.",
    requirements=("DB.SO.03",),
    consequences=("DB.SO.97", "KIT-COMPTE-RENDU", "KIT-ORDRE"),
)
def incoherence_taken(parts: Parts) -> Parts:
    """A cancellation with a final document is published."""
    return replace(parts, reports=Credulous(parts.reports))


class IdentityTaken(PassingReports):
    """`Reports` for which every identity is qualified."""

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """PID-32 is read as VALI whatever it says (PROV: identité provisoire)."""
        return super().read(message.replace(b"|PROV", b"|VALI"))


@mutant(
    "statut-ins-ignore",
    breaks="Le statut de l'identité (PID-32) n'est pas lu : une INS provisoire est publiée.",
    requirements=("DB.SO.11",),
)
def identity_status_ignored(parts: Parts) -> Parts:
    """A provisional identity feeds the DMP."""
    return replace(parts, reports=IdentityTaken(parts.reports))


class EveryAct(PassingReports):
    """`Reports` for which every act is an exam, whether or not it has a StudyInstanceUID."""

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """The order, an exam of nobody's added for each act without identifier."""
        if not order.exams:
            return order
        added = tuple(
            replace(order.exams[0], study_uid=f"2.25.{crc32(message)}{number}")
            for number in range(1, _acts_without_study(message) + 1)
        )
        return replace(order, exams=(*order.exams, *added))


def _acts_without_study(message: bytes) -> int:
    found = _DOCUMENT.search(message)
    if found is None:
        return 0
    events = cda.parse(b64decode(found[1])).service_events
    return sum(event.id is None for event in events)


@mutant(
    "acte-sans-examen-interroge",
    breaks="Un acte sans identifiant d'examen est demandé au PACS comme un examen.",
    requirements=("DB.SO.12",),
)
def every_act_queried(parts: Parts) -> Parts:
    """A screening act without images is looked for."""
    return replace(parts, reports=EveryAct(parts.reports))


class Forgetful(PassingInbox):
    """An `Inbox` that takes a message for a new one each time that it comes."""

    def __init__(self, inner: Inbox) -> None:
        super().__init__(inner)
        self._came: Counter[bytes] = Counter()

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """The trailing carriage returns make other bytes of the same message; a note of the PACS
        has none to spare."""
        more = b"\r" * self._came[raw] if raw.startswith(b"MSH") else b""
        self._came[raw] += 1
        return self._inner.put(control_id, raw + more, now=now)


class AlwaysNews(PassingKos):
    """A `KosBuilder` for which a KOS that says the same again has something new to say."""

    def __init__(self, inner: KosBuilder) -> None:
        super().__init__(inner)
        self._said: set[str] = set()

    def after(self, kos: Kos, report: ReportOrder) -> Kos:
        """The right KOS; the second time, with a fingerprint that nothing equals."""
        if kos.fingerprint in self._said:
            return replace(kos, fingerprint=kos.uid)
        self._said.add(kos.fingerprint)
        return kos


@mutant(
    "republie-le-meme",
    breaks="Un compte rendu reçu deux fois est publié deux fois.",
    requirements=("DB.SO.12",),
)
def published_again(parts: Parts) -> Parts:
    """The same message, sent again by a RIS that missed the ACK, replaces the KOS by its copy."""
    return replace(parts, inbox=Forgetful(parts.inbox), kos=AlwaysNews(parts.kos))


# What it is told -------------------------------------------------------------------------------


class AnyVersion(PassingReports):
    """`Reports` for which every version is the one that they read."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """But for HL7 code 203."""
        return tuple(one for one in super().examine(message) if one.code != "203")


@mutant(
    "version-non-lue",
    breaks="La version de HL7 et du volet n'est pas lue : un message inconnu est publié.",
    requirements=("DB.SO.03",),
)
def version_not_read(parts: Parts) -> Parts:
    """What was written by other rules is read by these."""
    return replace(parts, reports=AnyVersion(parts.reports))


class ForTheDmp(PassingReports):
    """`Reports` for which every report is for the DMP."""

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """DESTDMP is read as Y whatever it says."""
        return super().read(_NOT_FOR_DMP.sub(rb"\1Y", message))


@mutant(
    "destdmp-ignore",
    breaks="Le KOS d'un compte rendu qui n'est pas destiné au DMP (DESTDMP = N) est publié.",
    requirements=("KIT-DESTDMP",),
)
def destination_ignored(parts: Parts) -> Parts:
    """The report stays in the hospital, its images go out."""
    return replace(parts, reports=ForTheDmp(parts.reports))


class Docile(PassingReports):
    """`Reports` that find no fault in any message."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """None."""
        return ()


class Grumbling:
    """An `Acknowledger` that answers AE to what it should, whatever is done of it."""

    def __init__(self, inner: Acknowledger, reports: Reports) -> None:
        self._inner = inner
        self._reports = reports

    def accept(self, message: bytes) -> bytes | None:
        """AA, or the AE that the message deserves; what is no report is not its affair."""
        header = message.partition(b"\r")[0]
        faults = self._reports.examine(message) if b"|OMI^" not in header else ()
        return self.refuse(message, "AE", faults) if faults else self._inner.accept(message)

    def refuse(self, message: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        """As it should."""
        return self._inner.refuse(message, code, faults)


@mutant(
    "refuse-et-publie",
    breaks="Un message refusé par AE est publié tout de même.",
    requirements=("DB.SO.03",),
)
def refused_and_published(parts: Parts) -> Parts:
    """The RIS corrects its message and sends it again: two publications for one."""
    return replace(
        parts,
        reports=Docile(parts.reports),
        acknowledger=Grumbling(parts.acknowledger, parts.reports),
    )


class NeverLate:
    """`Versions` for which what comes last is what was said last."""

    def __init__(self, inner: Versions) -> None:
        self._inner = inner

    def note(self, inbox_id: int, report: ReportOrder) -> None:
        """As it should."""
        self._inner.note(inbox_id, report)

    def overtaken(self, inbox_id: int, report: ReportOrder) -> bool:
        """Never."""
        return False

    def known(self, inbox_id: int, report: ReportOrder) -> bool:
        """As it should."""
        return self._inner.known(inbox_id, report)

    def others(self, report: ReportOrder, study_uid: str) -> bool:
        """As it should."""
        return self._inner.others(report, study_uid)


@mutant(
    "ordre-d-arrivee-cru",
    breaks="Un message en retard défait la version suivante, ou l'annulation, du compte rendu.",
    requirements=("KIT-ORDRE",),
)
def order_of_arrival_believed(parts: Parts) -> Parts:
    """A withdrawn report is published by its creation that was late."""
    return replace(parts, versions=NeverLate(parts.versions))


# What a message carries ------------------------------------------------------------------------


class OfThisPatient(PassingReports):
    """`Reports` for which the document is of the patient of PID-3."""

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """PID-3 has the last word, whatever the CDA says."""
        found, ins = _DOCUMENT.search(message), _INS.search(message)
        if found is None or ins is None:
            return super().read(message)
        document = _WRITTEN.sub(lambda one: one[1] + ins[1] + one[2], b64decode(found[1]), count=1)
        start, end = found.span(1)
        return super().read(message[:start] + b64encode(document) + message[end:])


@mutant(
    "cda-d-un-autre-publie",
    breaks="L'INS du compte rendu n'est pas comparée à celle du message (PID-3).",
    requirements=("KIT-SEC-HL7-03",),
)
def document_of_another(parts: Parts) -> Parts:
    """The images of one are published with the report of another."""
    return replace(parts, reports=OfThisPatient(parts.reports))


class Expanding(PassingReports):
    """`Reports` that expand the entities of a document before they read it."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Of what it becomes."""
        return super().examine(_expanded(message))

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """What it became."""
        return super().read(_expanded(message))


def _expanded(message: bytes) -> bytes:
    """The document written again without its DTD; as it is when it has none, or cannot be."""
    found = _DOCUMENT.search(message)
    document = b64decode(found[1]) if found else b""
    if found is None or b"<!DOCTYPE" not in document[:4096]:
        return message
    parser = etree.XMLParser(resolve_entities=True, no_network=True)
    try:
        written = etree.tostring(etree.fromstring(document, parser), encoding="UTF-8")
    except etree.XMLSyntaxError:
        return message
    start, end = found.span(1)
    return message[:start] + b64encode(written) + message[end:]


@mutant(
    "entites-du-cda-lues",
    breaks="Les entités que déclare un compte rendu sont lues, jusqu'aux fichiers de la machine.",
    requirements=("KIT-SEC-HL7-03",),
)
def entities_expanded(parts: Parts) -> Parts:
    """The parser's defaults of 2005."""
    return replace(parts, reports=Expanding(parts.reports))


class Washed(PassingReports):
    """`Reports` that take out of names what looks like a tag."""

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """Somebody else, for whoever compares."""
        family = _TAG.sub("", order.patient.birth_family)
        return replace(order, patient=replace(order.patient, birth_family=family))


@mutant(
    "nom-lave",
    breaks="Ce qui ressemble à une balise est ôté, sans le dire, du nom du patient publié.",
    requirements=("KIT-SEC-HL7-04",),
)
def name_washed(parts: Parts) -> Parts:
    """A filter in place of an escape."""
    return replace(parts, reports=Washed(parts.reports))


class Jammed(PassingReports):
    """`Reports` whose queue stops at an escape that they cannot read."""

    def __init__(self, inner: Reports) -> None:
        super().__init__(inner)
        self._jammed = False

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """Nothing more, once one has come."""
        self._jammed = self._jammed or _ODD_ESCAPE.search(message) is not None
        if self._jammed:
            raise LookupError("escape")
        return super().read(message)


@mutant(
    "echappement-fatal",
    breaks="Un échappement HL7 illisible arrête la publication de tout ce qui suit.",
    requirements=("KIT-SEC-HL7-04",),
    # The report of the user's comes last in a campaign.
    consequences=("DB.SO.14",),
)
def escape_fatal(parts: Parts) -> Parts:
    """The message that nobody can read is tried again for ever."""
    return replace(parts, reports=Jammed(parts.reports))
