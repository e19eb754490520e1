"""Where the link of a report is read: a mail of MSSanté, or Mon espace santé (DB/RIS.11)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from bench.depositing import Depositing
from bench.linking import Linking
from bench.outcomes import CannotVerify
from protocols.errors import RemoteProtocolError
from simulators.correspondent import Mailbox, links_of, readable
from simulators.ris.mailing import compose

__all__ = ["Corresponding"]

_SENDER = "radiologie@kit.mssante.invalid"
_CORRESPONDENT = "correspondant@kit.mssante.invalid"


@dataclass(slots=True)
class Corresponding:
    """Whoever got the report, and what they follow in it."""

    linking: Linking
    depositing: Depositing
    document: bytes = b""
    """The report that somebody opened."""

    # -- Étant donné -------------------------------------------------------------------------

    def receive(self) -> None:
        """The RIS has sent it to a correspondent, who opens the mail."""
        story = self.linking.story
        mailbox = Mailbox(_CORRESPONDENT)
        mailbox.deliver(
            compose(
                story.report(),
                sender=_SENDER,
                recipient=_CORRESPONDENT,
                installation=story.bed.site.ris_oid,
                uuid=uuid4,
            )
        )
        (self.document,) = mailbox.mails[0].documents()

    def publish(self) -> None:
        """The RIS has published it in the DMP.

        Raises:
            CannotVerify: the RIS or the DMP is a real one.
            NotSendable: the DMP refused it.
        """
        self.depositing.deposit()

    # -- Quand -------------------------------------------------------------------------------

    def follow(self) -> None:
        """The link of the mail's report, as a professional."""
        self.linking.open_found("le lien lu dans le courriel", self._link())

    def follow_as_patient(self) -> None:
        """The link of the report that the patient reads in Mon espace santé; no login follows."""
        story = self.linking.story
        ins = story.patient.ins
        assert ins is not None
        found = readable(story.bed.dmp.documents(ins.value, ins.oid))
        if not found:
            raise CannotVerify("le patient ne lit aucun compte rendu dans Mon espace santé")
        self.document = found[-1].content
        self.linking.arrive_by("le lien lu dans Mon espace santé", self._link())

    # -- inside ------------------------------------------------------------------------------

    def _link(self) -> str:
        study = self.linking.exam.study_uid
        try:
            found = [one for one in links_of(self.document) if study in one]
        except RemoteProtocolError as error:
            raise CannotVerify(f"le compte rendu du banc ne se lit pas : {error}") from error
        if not found:
            raise CannotVerify("le compte rendu du banc ne porte pas de lien vers l'examen")
        return found[0]
