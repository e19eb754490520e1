"""What a RIS gone bad, or somebody in its place, puts into the messages that a Source takes.

Each hostile message is of a report of its own, about exams that the PACS holds: believed, it would
be published. The exam of the scenario is published before any is sent, and a sentinel after them
(`Publishing.expect_no_more`): a Source that takes nothing any more refuses nothing.

Réf.: security catalogue, HL7-03 and HL7-04 (`spec/security.toml`); draft REM DB.SO.15 to .21.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pybase64

from bench.deadline import until
from bench.imagery import load_exam
from bench.outcomes import CannotVerify
from bench.publishing import Publishing
from bench.story import PlannedExam, plan_exam, report_of
from bench.submissions import accepted, entries, submitted_manifests
from protocols.ebrim import DocumentEntry
from simulators.ris.people import ins_of
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.dmp import KOS_TYPE_CODE

__all__ = ["DOCUMENTS", "ESCAPES", "INJECTIONS", "MessageAttacks"]

_DOCUMENT = re.compile(rb"\^Base64\^([A-Za-z0-9+/=]+)")
"""OBX-5.4 and OBX-5.5."""
_EVENTS = re.compile(rb"<documentationOf\b.*?</documentationOf>", re.DOTALL)
_TITLE = re.compile(rb"(<title>)[^<]*")
_REFUSALS = ("AE", "AR", "CE", "CR")
_MIB = 1 << 20


def _entities(declared: bytes, used: bytes = b"&kit;") -> Callable[[bytes, str], bytes]:
    """The document, its title by an entity that this DTD declares."""

    def change(document: bytes, _ins: str) -> bytes:
        head, _, rest = document.partition(b"<ClinicalDocument")
        titled = _TITLE.sub(lambda found: found[1] + used, rest, count=1)
        return head + b"<!DOCTYPE ClinicalDocument [" + declared + b"]><ClinicalDocument" + titled

    return change


def _bomb() -> bytes:
    """Ten entities of ten references each: 10^10 times three letters, if anybody counts."""
    chain = [b'<!ENTITY e0 "kit">']
    for number in range(1, 11):
        chain.append(b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10))
    return b"".join(chain)


def _other_patient(document: bytes, ins: str) -> bytes:
    other = ins_of(f"{ins[:10]}{(int(ins[10:13]) + 1) % 1000:03d}").value
    return document.replace(ins.encode(), other.encode())


_Change = Callable[[bytes, str], bytes]
"""(document, matricule of the patient) -> what goes into OBX-5 instead."""

DOCUMENTS: Mapping[str, _Change] = {
    "PDF": lambda *_: b"%PDF-1.4\n%%EOF\n",
    "rien": lambda *_: b" ",
    "XML coupé": lambda document, _: document[: len(document) // 2],
    "DTD sans effet": _entities(b'<!ENTITY kit "CR">'),
    "fichier par une entité": _entities(b'<!ENTITY kit SYSTEM "file:///etc/hostname">'),
    "adresse par une entité": _entities(b'<!ENTITY kit SYSTEM "http://127.0.0.1:9/kit">'),
    "bombe d'entités": _entities(_bomb(), b"&e10;"),
    "CDA d'un autre patient": _other_patient,
    "CDA sans examen": lambda document, _: _EVENTS.sub(b"", document),
    "32 Mio de zéros": lambda *_: bytes(32 * _MIB),
}
"""Words -> what is encoded in OBX-5.5."""

INJECTIONS: Mapping[str, str] = {
    "SQL": "ROBERT'); DROP TABLE kos;--",
    "LDAP": "*)(uid=*))(cn=*",
    "XPath": "' or '1'='1",
    "HTML": "<script>alert(1)</script>",
    "attribut": '"><img src=x onerror=alert(1)>',
    "XML": "</Value><Value>KIT]]>",
    "interpréteur": "$(touch kit);`touch kit`",
    "gabarit": "{{7*7}}${7*7}%n%s",
}
"""Words -> the name of somebody."""

ESCAPES: Mapping[str, bytes] = {
    "hexadécimal coupé": b"\\X4",
    "hexadécimal impair": b"\\X414\\",
    "local": b"\\Zkit\\",
    "non fini": b"KIT\\",
    "ouvert en fin de champ": b"KIT\\X",
    "de jeu de caractères": b"\\C2842\\KIT\\M2442\\",
}
"""Words -> what PID-5.1 has, as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """One hostile message, and what was said of it."""

    words: str
    exam: PlannedExam
    control_id: str
    code: str
    """MSA-1, "" without acknowledgement."""
    said: str
    alerts: int
    """How many alerts there were before."""


@dataclass(slots=True)
class MessageAttacks:
    """Sends them, and looks at what became of each."""

    publishing: Publishing
    sent: list[_Sent] = field(default_factory=list)

    # -- Quand -------------------------------------------------------------------------------

    def documents(self, words: Iterable[str]) -> None:
        """A right report each, its document replaced; `base64 faux` is what no base64 has."""
        ins = self.publishing.story.case.patient.ins
        for one in words:
            exam = self._exam(one)
            message = self.publishing.message_beside(exam, f"le compte rendu « {one} »")
            found = _DOCUMENT.search(message)
            assert found is not None
            if one == "base64 faux":
                encoded = found[1][:200] + b"!*!" + found[1][200:]
            else:
                document = DOCUMENTS[one](pybase64.b64decode(found[1]), ins)
                encoded = pybase64.b64encode(document)
            start, end = found.span(1)
            self._send(one, exam, message[:start] + encoded + message[end:])

    def injections(self, words: Iterable[str]) -> None:
        """A right report each, of a patient, an author and a structure that bear such a name."""
        story = self.publishing.story
        for one in words:
            exam, text = self._exam(one), INJECTIONS[one]
            report = replace(
                report_of(
                    story.case,
                    replace(story.patient, family=text),
                    replace(story.author, family=text),
                    replace(story.structure, name=text),
                    [exam.reported()],
                ),
                id=story.case.uid(f"le compte rendu « {one} »"),
                set_id=story.case.uid(f"le lot de « {one} »"),
            )
            story.stage.publish_case()
            self._send(one, exam, story.bed.ris.message(report))

    def escapes(self, words: Iterable[str]) -> None:
        """A right report each, but for an escape sequence in the patient's name (HL7 2.5, 2.7)."""
        family = self.publishing.story.patient.family.encode()
        for one in words:
            exam = self._exam(one)
            message = self.publishing.message_beside(exam, f"le compte rendu « {one} »")
            before, pid, after = message.partition(b"\rPID|")
            line, end, rest = after.partition(b"\r")
            line = line.replace(family, ESCAPES[one], 1)
            self._send(one, exam, before + pid + line + end + rest)

    # -- Alors -------------------------------------------------------------------------------

    def expect_refused(self) -> None:
        """Each refused by its acknowledgement, or taken and told to the administrator."""
        for one in self._all():
            refused = self._refused(one)
            if not refused and one.code and not self.publishing.administration.address:
                raise CannotVerify(
                    f"le document « {one.words} » est acquitté {one.code}, et le profil ne dit pas "
                    "où lire l'alerte"
                )
            self._expect(
                one,
                "est refusé, ou l'administrateur est alerté",
                refused or (bool(one.code) and self._wait(lambda one=one: self._alerted(one))),  # type: ignore[misc]
                "AE, AR, une fermeture, ou une alerte",
            )

    def expect_verbatim(self) -> None:
        """Each refused, told to the administrator, or published with that very name."""
        for one in self._all():
            if self._refused(one) or one.words not in INJECTIONS:
                continue
            text = INJECTIONS[one.words]
            self._wait(lambda one=one: bool(self._published(one)) or self._alerted(one))  # type: ignore[misc]
            wrong = [
                name
                for entry in self._published(one)
                for name, values in _named(entry).items()
                if values and text.casefold() not in values.casefold()
            ]
            decided = bool(self._published(one)) or self._alerted(one)
            self._expect(
                one,
                "est publié tel quel, ou refusé",
                decided and not wrong,
                "le texte, entier, pour le patient, le signataire et la structure",
                f"altéré : {', '.join(sorted(set(wrong)))}" if wrong else "",
            )
        self._expect_shown_escaped()

    def expect_heard(self) -> None:
        """Whatever is said of each, it is said."""
        for one in self._all():
            heard = bool(one.code) or self._refused(one)
            self._expect(one, "a une réponse", heard, "AA, AE, AR, ou une fermeture")

    # -- inside ------------------------------------------------------------------------------

    def _all(self) -> list[_Sent]:
        if not self.sent:
            raise CannotVerify("aucun message n'a été envoyé")
        return self.sent

    def _exam(self, words: str) -> PlannedExam:
        """One more exam of the patient, in the PACS; no report but the hostile one names it."""
        story, site = self.publishing.story, self.publishing.story.bed.site
        exam = plan_exam(
            story.case,
            len(story.exams) + len(self.sent) + 1,
            site.accession_oid,
            site.placer_oid,
            modality="CT",
            series=1,
            images=1,
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )
        story.stage.publish_case()
        load_exam(story.archive, exam, story.patient)
        return exam

    def _send(self, words: str, exam: PlannedExam, message: bytes) -> None:
        publishing = self.publishing
        before = len(publishing.alerts())
        publishing.sent = message
        publishing.deliver()
        ack = publishing.ack
        self.sent.append(
            _Sent(
                words=words,
                exam=exam,
                control_id=publishing.control_id,
                code=ack.code if ack else "",
                said=f"acquittement {ack.code}" if ack else publishing.no_ack,
                alerts=before,
            )
        )

    def _refused(self, one: _Sent) -> bool:
        """A close without a word refuses what is too big; a silence refuses nothing."""
        return one.code in _REFUSALS or (not one.code and "fermée" in one.said)

    def _alerted(self, one: _Sent) -> bool:
        rows = self.publishing.administration.rows("alerts")
        named = any(one.control_id in str(row) or one.exam.study_uid in str(row) for row in rows)
        return named or len(self.publishing.alerts()) > one.alerts

    def _published(self, one: _Sent) -> list[DocumentEntry]:
        return [
            entry
            for seen in self.publishing.story.stage.seen("ITI-41")
            if accepted(seen.exchange)
            and one.exam.study_uid in {kos.study_uid for kos in submitted_manifests(seen.exchange)}
            for entry in entries(seen.exchange)
            if entry.type_code is not None and entry.type_code.code == KOS_TYPE_CODE[0]
        ]

    def _wait(self, condition: Callable[[], bool]) -> bool:
        timing = self.publishing.story.stage.profile.timing
        return until(condition, deadline_s=timing.effect_s)

    def _expect_shown_escaped(self) -> None:
        """A page of HTML writes `<` as `&lt;`; other types run nothing."""
        administration = self.publishing.administration
        if not administration.address:
            return
        for page in ("alerts", "audit", "inbox", "outbox", "archive"):
            kind, text = administration.text(page)
            live = [one for one in INJECTIONS.values() if one.startswith(("<", '">'))]
            self.publishing.story.stage.expect(
                f"la page « {page} » échappe ce qu'elle montre",
                "html" not in kind or not any(one in text for one in live),
                expected="aucune balise venue d'un message",
                actual=kind,
            )

    def _expect(self, one: _Sent, what: str, met: bool, expected: str, actual: str = "") -> None:
        self.publishing.story.stage.expect(
            f"le message « {one.words} » {what}", met, expected=expected, actual=actual or one.said
        )


def _named(entry: DocumentEntry) -> dict[str, str]:
    """What an entry says of people and places, HL7's own delimiters unescaped (HL7 2.5, 2.7.1)."""
    said = {
        "patient": " ".join(one for one in entry.source_patient_info if one.startswith("PID-5|")),
        "signataire": entry.legal_authenticator,
        "structure": " ".join(place for author in entry.authors for place in author.institutions),
    }
    marks = {"\\T\\": "&", "\\S\\": "^", "\\F\\": "|", "\\R\\": "~", "\\E\\": "\\"}
    for mark, text in marks.items():
        said = {name: value.replace(mark, text) for name, value in said.items()}
    return said
