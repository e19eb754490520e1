"""The oracle of the security suite: what is tried on a Source, between two right requests.

What must come of an attack is always judged the same way, whoever plays it: hand `Attacking.play`
the attempts, then ask for the class that the catalogue tells (`spec.security.Outcome`).

* Refused in the handshake or by HTTP 4xx is one class. So is 503 where the attempt says that the
  Source had lost what it depends on. A dead server, a timeout, another 5xx, or 200 without images
  never passes.
* Around each attempt the right request is served, on the same entry: a Source that refuses
  everybody, or that the attack has stopped, refuses nobody.
* No DICOM byte, no stack trace, no version of a product comes with a refusal.
* A refusal by HTTP leaves an audit event of failure, where the bench may read the trail.

Alert, status and WWW-Authenticate are told in the report; that a 401 has the challenge of RFC 6750
is a rule of its own (`validators.wado`), which warns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from bench.attackers import papers_of
from bench.deadline import until
from bench.imaging import Imaging
from bench.outcomes import CannotVerify
from protocols.multipart import header
from simulators.igc import CredentialFiles
from simulators.peer import Manners, Retrieved

__all__ = ["GREETED", "Attacking", "Attempt", "Played", "shows_stack", "told"]

GREETED = "poignée de main acceptée"
"""How the reason of an attempt begins that was a handshake, and that the server goes on with."""
_UNAVAILABLE = 503
_TRACES = (
    re.compile(r"Traceback \(most recent call last\)"),
    re.compile(r'File "[^"]+", line \d+'),
    re.compile(r"\bat [\w$.]+\([\w$]+\.java:\d+\)"),
    re.compile(r"\bException in thread\b|\b[\w.]+(?:Exception|Error): "),
    re.compile(r"\bat [\w.<>]+ in .+:line \d+"),
)
_VERSION = re.compile(r"[A-Za-z][\w.-]*/\d+(?:\.\d+)*")
"""`Jetty/9.4`, as Server and X-Powered-By tell it."""
_TELLTALE = ("Server", "X-Powered-By", "X-AspNet-Version", "Via")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One thing tried."""

    words: str
    """French, as the scenario names it."""
    play: Callable[[], Retrieved]
    unavailable: bool = False
    """The Source has lost what it depends on, or may be full: 503 is a refusal too."""
    traced: bool = True
    """Refused by HTTP, it must be in the trail: not what a front end may have refused, which never
    was a request for images to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One attempt, and what became of it."""

    attempt: Attempt
    answer: Retrieved
    exchanges: tuple[str, ...]


@dataclass(slots=True)
class Attacking:
    """A stranger on the network, and the member of the white list that asks around it."""

    imaging: Imaging
    played: list[Played] = field(default_factory=list)
    _audited: int = 0
    """How many failures the trail told before."""

    # -- Quand -------------------------------------------------------------------------------

    def play(self, attempts: Iterable[Attempt]) -> None:
        """Each attempt between two right requests.

        Raises:
            CannotVerify: the right one is not served before anything was tried.
        """
        self._audited = len(self._failures())
        self._twin("avant")
        for attempt in attempts:
            feed = self.imaging.story.stage.feed
            begun = feed.mark()
            answer = attempt.play()
            asked = range(begun, feed.mark())
            seen = self.imaging.story.stage.seen("WADO-RS", "DICOMweb", "TLS")
            self.played.append(
                Played(
                    attempt=attempt,
                    answer=answer,
                    exchanges=tuple(one.id for one in seen if one.serial in asked),
                )
            )
            self._twin(f"après « {attempt.words} »")

    def with_papers(self, words: Iterable[str]) -> list[Attempt]:
        """The first series asked for under each of these certificates (`bench.attackers`)."""
        bed = self.imaging.story.bed

        def asking(papers: CredentialFiles) -> Callable[[], Retrieved]:
            return lambda: self.ask(papers=papers)

        return [Attempt(words=one, play=asking(papers_of(bed, one))) for one in words]

    def with_headers(self, names: Sequence[str]) -> list[Attempt]:
        """The first series asked for without a certificate, then under a name that is not listed,
        each of these headers telling the name, or the certificate, of a member."""
        bed = self.imaging.story.bed
        member = bed.papers.clients["peer"].certificate.read_text()
        values = {"cert": quote(member), "dn": bed.papers.dns["peer"]}
        more = tuple(
            (name, values["cert" if name.casefold().endswith("cert") else "dn"]) for name in names
        )

        def asking(papers: CredentialFiles | None) -> Callable[[], Retrieved]:
            def play() -> Retrieved:
                manners = replace(self.imaging.good_manners(), more=more)
                return self.ask(papers=papers, manners=manners, without_papers=papers is None)

            return play

        return [
            Attempt(words="sans certificat", play=asking(None)),
            Attempt(words="nom absent de la liste", play=asking(bed.papers.rogues["unlisted"])),
        ]

    def ask(
        self,
        *,
        papers: CredentialFiles | None = None,
        manners: Manners | None = None,
        without_papers: bool = False,
    ) -> Retrieved:
        """The first series, once; what is not told is right."""
        imaging = self.imaging
        shown = None if without_papers else papers or imaging.story.bed.papers.clients["peer"]
        peer = imaging.story.bed.peer(shown, feeble=papers is not None)
        url = imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)
        return imaging.story.bed.call(peer.retrieve, url, manners or imaging.good_manners())

    # -- Alors -------------------------------------------------------------------------------

    def expect_refused(self) -> None:
        """`Outcome.REFUSED`, of each attempt."""
        for one in self._all():
            self._expect(
                one,
                "est refusée",
                _refused(one) and not one.answer.parts,
                "refus de la connexion TLS ou HTTP 4xx, sans image",
            )
            said = leaks(one.answer)
            self._expect(one, "est refusée sans rien livrer", not said, "ni image, ni pile, "
                         "ni version de produit", "; ".join(said))  # fmt: skip
        self._expect_audited(
            sum(one.answer.status is not None and one.attempt.traced for one in self.played)
        )

    def expect_untold(self) -> None:
        """Refused, or answered by what names neither the exam nor the patient: the service may
        describe itself to whoever asks."""
        patient, exam = self.imaging.story.patient, self.imaging.exam
        names = (patient.ins and patient.ins.value, patient.ipp and patient.ipp.value)
        people = [one for one in (*names, patient.family) if one]
        for one in self._all():
            answered = one.answer.status is not None and 200 <= one.answer.status < 400
            # A refusal may say again what was asked for.
            known = [*people, exam.study_uid] if answered else people
            found = [*leaks(one.answer), *(name for name in known if name in one.answer.text)]
            self._expect(
                one,
                "n'apprend rien à personne",
                (_refused(one) or answered) and not found,
                "un refus, ou une réponse qui ne nomme ni examen ni patient",
                f"{told(one.answer)}{' ; ' if found else ''}{', '.join(found)}",
            )

    def expect_answered(self) -> None:
        """`Outcome.BOUNDED`: whatever the answer, there is one, whole, and no breakdown."""
        for one in self._all():
            status = one.answer.status or 0
            whole = one.answer.complete or status == 206
            self._expect(
                one,
                "a une réponse entière",
                _refused(one) or (200 <= status < 400 and whole),
                "une réponse entière, ou un refus",
            )

    def expect_consistent(self) -> None:
        """`Outcome.DOCUMENTED`: served or refused, the same each time, and never a breakdown."""
        for words in dict.fromkeys(one.attempt.words for one in self._all()):
            same = [one for one in self.played if one.attempt.words == words]
            classes = {_class(one) for one in same}
            self._expect(
                same[0],
                "est acceptée ou refusée, chaque fois de même",
                len(classes) == 1 and classes <= {"servie", "refusée", GREETED},
                "servie, ou refusée, toujours de même",
                ", ".join(sorted(classes)),
            )

    # -- inside ------------------------------------------------------------------------------

    def _all(self) -> Sequence[Played]:
        if not self.played:
            raise CannotVerify("aucune demande n'a été faite")
        return self.played

    def _twin(self, place: str) -> None:
        """The right request.

        Raises:
            CannotVerify: it was never served.
            NotMet: it was, until something was tried.
        """
        imaging = self.imaging
        imaging.story.rely_on_white_list()
        twin = self.ask()
        served = bool(twin.images) and twin.complete
        if not served and not self.played:
            raise CannotVerify(
                f"la demande conforme, {place}, n'est pas servie : {imaging.summary(twin)}"
            )
        imaging.story.stage.expect(
            f"la demande conforme, {place}, est servie",
            served,
            expected="200 et des images",
            actual=imaging.summary(twin),
        )

    def _expect(self, one: Played, what: str, met: bool, expected: str, actual: str = "") -> None:
        self.imaging.story.stage.expect(
            f"la demande « {one.attempt.words} » {what}",
            met,
            expected=expected,
            actual=actual or told(one.answer),
            exchanges=one.exchanges,
        )

    def _expect_audited(self, refusals: int) -> None:
        """As many failures in the trail; nothing is asked where the bench may not read it, the
        row TRC-02 is for a person then."""
        if not refusals or not self.imaging.administration.address:
            return
        wanted = self._audited + refusals
        stage = self.imaging.story.stage
        found = until(
            lambda: len(self._failures()) >= wanted, deadline_s=stage.profile.timing.effect_s
        )
        stage.expect(
            "chaque refus par HTTP est tracé",
            found,
            expected=f"{refusals} événement(s) d'échec de plus",
            actual=f"{len(self._failures()) - self._audited}",
        )

    def _failures(self) -> list[object]:
        """Of this exam, whose UID no other scenario has."""
        administration, exam = self.imaging.administration, self.imaging.exam
        if not administration.address:
            return []
        return [
            row
            for row in administration.rows("audit")
            if row.get("EventOutcomeIndicator") not in (0, None) and exam.study_uid in str(row)
        ]


def told(answer: Retrieved) -> str:
    """What became of it: alert, or status and challenge."""
    said = Imaging.summary(answer)
    challenge = header(answer.headers, "WWW-Authenticate")
    return f"{said}, WWW-Authenticate: {challenge}" if challenge else said


def leaks(answer: Retrieved) -> list[str]:
    """What a refusal must not tell, in French; empty when it tells none of it."""
    found = []
    if answer.parts or "DICM" in answer.text:
        found.append("octets DICOM")
    if shows_stack(answer.text):
        found.append("pile d'exécution")
    versions = [
        value
        for name in _TELLTALE
        if (value := header(answer.headers, name)) and _VERSION.search(value)
    ]
    return [*found, *(f"version de produit ({one})" for one in versions)]


def shows_stack(text: str) -> bool:
    """Whether that text shows where in the code something failed."""
    return any(pattern.search(text) for pattern in _TRACES)


def _refused(one: Played) -> bool:
    if one.attempt.unavailable and one.answer.status == _UNAVAILABLE:
        return True
    return one.answer.refused


def _class(one: Played) -> str:
    if one.answer.images and one.answer.complete:
        return "servie"
    if one.answer.reason.startswith(GREETED):
        return GREETED
    return "refusée" if _refused(one) else f"ni l'un ni l'autre ({told(one.answer)})"
