"""How reports reach a Source, as the steps speak of it: over TLS, in pieces, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.outcomes import CannotVerify, NotClaimed
from bench.publishing import Publishing
from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from simulators.igc import CredentialFiles
from simulators.ris.service import Ack, Link
from wire.mllp import MllpTimeout

__all__ = ["Bringing"]

_PIECES, _PAUSE_S = 5, 0.02
"""A link that gives a message little by little: nobody reads it in one go."""


@dataclass(slots=True)
class Bringing:
    """The RIS, or several, and what each message was answered."""

    publishing: Publishing
    sent: list[bytes] = field(default_factory=list)
    answers: list[Ack | str] = field(default_factory=list)
    """To each message, its acknowledgement or why there is none."""
    intruders: list[tuple[str, Ack | None, str]] = field(default_factory=list)
    """What a RIS showed that should not be heard, and what it was answered."""

    # -- Quand -------------------------------------------------------------------------------

    def over_tls(self) -> None:
        """The report comes by the door that speaks TLS, from a RIS that shows its certificate.

        Raises:
            NotClaimed: the product has no such door.
        """
        self._come(self.publishing.story.bed.papers.ris)
        self.publishing.send()

    def as_intruders(self) -> None:
        """The same message again, from who shows nothing, then another authority's certificate,
        and from the RIS once more.

        Raises:
            CannotVerify: the RIS itself is not heard.
        """
        bed = self.publishing.story.bed
        for shown, papers in (
            ("aucun certificat", None),
            ("un certificat du marché", bed.papers.rogues["market"]),
        ):
            self._come(papers)
            self.publishing.deliver()
            self.intruders.append((shown, self.publishing.ack, self.publishing.no_ack))
        self._come(bed.papers.ris)
        self.publishing.deliver()
        if self.publishing.ack is None:
            raise CannotVerify(
                f"le RIS, sous son certificat, n'est plus entendu : {self.publishing.no_ack}"
            )

    def in_pieces(self) -> None:
        """A report for each exam, all on one connection that gives them little by little."""
        self._write()
        self._send_all(together=False, link=Link(pieces=_PIECES, pause=_PAUSE_S))

    def one_by_one(self) -> None:
        """A report for each exam, in their order, on one connection."""
        self._write()
        self._send_all(together=False, link=Link())

    def at_once(self) -> None:
        """As many RISs as exams, each with a report and a connection of its own."""
        self._write()
        self._send_all(together=True, link=Link())

    def _come(self, papers: CredentialFiles | None) -> None:
        story = self.publishing.story
        if not story.publisher.get("mllps"):
            raise NotClaimed("KIT-MLLP-TLS : le profil ne donne pas source.mllps")
        self.publishing.via = story.bed.ris_link(papers)

    def _write(self) -> None:
        exams = self.publishing.story.exams
        self.sent = [
            self.publishing.message_beside(exam, f"le compte rendu de l'examen {number}")
            for number, exam in enumerate(exams, 1)
        ]

    def _send_all(self, *, together: bool, link: Link) -> None:
        bed = self.publishing.story.bed
        if not self.publishing.story.publisher.get("mllp"):
            secure = bed.ris_link(bed.papers.ris)
            link = replace(link, tls=secure.tls, server_name=secure.server_name)
        batches = [[one] for one in self.sent] if together else [self.sent]
        found = bed.call(self._bring, batches, link)
        self.answers = [answer for batch in found for answer in batch]

    async def _bring(self, batches: Sequence[Sequence[bytes]], link: Link) -> list[list[Ack | str]]:
        return await asyncio.gather(*(self._bring_batch(one, link) for one in batches))

    async def _bring_batch(self, messages: Sequence[bytes], link: Link) -> list[Ack | str]:
        story, publishing = self.publishing.story, self.publishing
        try:
            return list(
                await story.bed.ris.send_each(
                    messages, publishing.destination, story.stage.profile.timing.ack_s, link=link
                )
            )
        except (MllpTimeout, ConnectionError, RemoteProtocolError) as error:
            return [str(error) or type(error).__name__] * len(messages)

    # -- Alors -------------------------------------------------------------------------------

    def expect_each_taken(self) -> None:
        """Each message has its own acknowledgement: AA, and MSA-2 names it."""
        wanted = [hl7v2.parse(one).value("MSH-10") for one in self.sent]
        taken = [
            answer.control_id
            for answer in self.answers
            if isinstance(answer, Ack) and answer.accepted
        ]
        silent = [answer for answer in self.answers if isinstance(answer, str)]
        refused = [one.code for one in self.answers if isinstance(one, Ack) and not one.accepted]
        self.publishing.story.stage.expect(
            "la Source acquitte chaque message par AA",
            taken == wanted,
            expected=f"{len(wanted)} AA, chacun pour son message (MSA-2)",
            actual=f"{len(taken)} AA dont {len(set(taken) & set(wanted))} à son message ; "
            f"{len(refused)} autre(s) ; {len(silent)} sans réponse"
            + (f" ({silent[0]})" if silent else ""),
        )

    def expect_intruders_refused(self) -> None:
        """None of them was answered; the RIS was, before and after."""
        stage = self.publishing.story.stage
        for shown, ack, why in self.intruders:
            stage.expect(
                f"un émetteur qui montre {shown} n'est pas entendu",
                ack is None,
                expected="une connexion refusée",
                actual=f"MSA-1 = {ack.code}" if ack else why,
            )
