"""What becomes of a client whose authority tells nothing, or whose answers the network has changed.

CRL and OCSP travel in clear (control point C17, grade: faq): whoever holds the network puts what it
likes in their place. What a box does without a list in force is written nowhere: served or refused,
it is so each time, and the service goes on. A certificate that was taken back stays so, whatever an
answer says that proves nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from cryptography import x509

from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from simulators.igc import CredentialFiles
from simulators.igc.faults import CRL, OCSP, Betrayed, Refusal
from simulators.igc.service import IgcServer
from simulators.igc.specimens import reissued
from simulators.peer import Retrieved
from wire.faults import Value
from wire.witness import listen

__all__ = ["ANSWERS", "LISTS", "RevocationAttacks"]

LISTS: Mapping[str, tuple[str, Mapping[str, Value]]] = {
    "injoignable": ("", {}),
    "HTTP 404": ("http", {"code": 404}),
    "échue": ("perimee", {"jours": 1}),
    "signée d'une autre clé": ("sosie", {}),
    "tronquée": ("tronquee", {}),
    "de 100 Mio": ("enorme", {"mio": 100}),
    "boucle de redirections": ("boucle", {}),
}
"""Words -> what the authority does with its list; "": nobody is at the address."""


def _good_by(par: Betrayed) -> tuple[str, Mapping[str, Value]]:
    return "bon-mal-prouve", {"par": par}


ANSWERS: Mapping[str, tuple[str, Mapping[str, Value]]] = {
    "tryLater": ("refus", {"statut": Refusal.TRY_LATER}),
    "internalError": ("refus", {"statut": Refusal.INTERNAL_ERROR}),
    "périmée": _good_by(Betrayed.STALE),
    "d'un répondeur sosie": _good_by(Betrayed.LOOK_ALIKE),
    "d'un répondeur du marché": _good_by(Betrayed.MARKET),
    "d'un répondeur sans l'usage": _good_by(Betrayed.NO_PURPOSE),
    "pour un autre numéro": _good_by(Betrayed.OTHER),
    "rejouée, sans nonce": _good_by(Betrayed.NO_NONCE),
    "rejouée, à l'autre nonce": _good_by(Betrayed.OTHER_NONCE),
    "à la signature changée": _good_by(Betrayed.SPOILT),
}
"""Words -> what the responder says of a revoked certificate."""


@dataclass(slots=True)
class RevocationAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    _numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)

    def lists(self, words: Iterable[str]) -> None:
        """The first series, twice, under a right certificate whose own list is in that state.

        Raises:
            CannotVerify: the authority is a real one.
        """
        igc = self._igc
        papers = {one: self._papers(igc, one) for one in words}

        def play(one: str) -> Callable[[], Retrieved]:
            kind, values = LISTS[one]
            return lambda: self._under(CRL if kind else "", kind, values, papers[one])

        self.attacking.play(
            Attempt(words=one, play=play(one), unavailable=True, traced=False)
            for one in papers
            for _ in range(2)
        )

    def answers(self, words: Iterable[str]) -> None:
        """The first series under a certificate that was revoked, of which OCSP says so.

        Raises:
            CannotVerify: the authority is a real one.
        """
        _ = self._igc
        revoked = self.attacking.imaging.story.bed.papers.rogues["revoked"]

        def play(one: str) -> Callable[[], Retrieved]:
            kind, values = ANSWERS[one]
            return lambda: self._under(OCSP, kind, values, revoked)

        self.attacking.play(Attempt(words=one, play=play(one), unavailable=True) for one in words)

    # -- inside ------------------------------------------------------------------------------

    def _under(
        self, service: str, kind: str, values: Mapping[str, Value], papers: CredentialFiles
    ) -> Retrieved:
        faults = self._igc.faults
        with ExitStack() as over:
            if service:
                over.callback(faults.clear, faults.set(kind, service, values))
            return self.attacking.ask(papers=papers)

    def _papers(self, igc: IgcServer, words: str) -> CredentialFiles:
        """A member's, whose list is at an address that no other certificate names."""
        bed = self.attacking.imaging.story.bed
        number = self._numbers()
        url = f"{igc.pki.crl_url}?liste={self.attacking.imaging.exam.study_uid[-8:]}-{number}"
        if not LISTS[words][0]:
            url = self._nowhere()
        name = x509.UniformResourceIdentifier(url)
        point = x509.DistributionPoint([name], None, None, None)
        right = igc.pki.auth_cli(
            bed.site.names.neighbour, bed.site.operator, key=igc.pki.throwaway_key
        )

        def change(one: x509.Extension[x509.ExtensionType]) -> x509.ExtensionType:
            listed = isinstance(one.value, x509.CRLDistributionPoints)
            return x509.CRLDistributionPoints([point]) if listed else one.value

        made = reissued(igc.pki, right, change=change)
        return made.write(bed.papers.directory, f"liste-{number}")

    def _nowhere(self) -> str:
        """An address of ours where nobody listens."""
        bed = self.attacking.imaging.story.bed
        witness = bed.call(listen, bed.profile.world.address)
        bed.call(witness.stop)
        return f"http://{witness.host}:{witness.port}/kit.crl"

    @property
    def _igc(self) -> IgcServer:
        igc = self.attacking.imaging.story.bed.simulators.igc
        if igc is None:
            raise CannotVerify("les certificats sont d'une vraie autorité")
        return igc
