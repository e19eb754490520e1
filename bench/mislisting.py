"""White lists that a Source must not put in force: each names a stranger, who then asks.

A wrong list that is believed lets the stranger in; one that takes the right list away shuts the
members out. At the end the same stranger is listed by a right one, and served: the Source does read
the list again, or nothing was proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography import x509

from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from bench.witnessing import address, begun, held
from protocols.dn import dn
from simulators.ans import LIST, Ans, Other
from simulators.ans.faults import Where
from simulators.ans.hostile import TRAPS
from simulators.peer import Retrieved
from wire.faults import Value

__all__ = ["WORDS", "Mislisting"]

_ALTERED = {
    "un hôte changé": Where.ENTRY,
    "un nom changé": Where.NAME,
    "une date changée": Where.DATE,
    "une espace ajoutée": Where.SPACE,
    "une valeur de signature changée": Where.VALUE,
}
_SIGNED = {
    "signée d'un autre nom": Other.NAME,
    "signée d'une autre structure": Other.STRUCTURE,
    "signée d'une autre autorité": Other.MARKET,
    "signée d'un certificat de client": Other.CLIENT,
    "d'un signataire expiré": Other.EXPIRED,
    "d'un signataire révoqué": Other.REVOKED,
}
_RIGHT: Mapping[str, tuple[str, Mapping[str, Value]]] = {
    "d'un signataire de relève": ("signataire", {"qui": str(Other.SUCCESSOR)}),
    "de 10 000 entrées": ("enorme", {"entrees": 10_000}),
}
_FAULTS: Mapping[str, tuple[str, Mapping[str, Value]]] = {
    "sans signature": ("non-signee", {}),
    **{words: ("alteree", {"ou": str(where)}) for words, where in _ALTERED.items()},
    **{words: ("signataire", {"qui": str(who)}) for words, who in _SIGNED.items()},
    "ancienne": ("ancienne", {"jours": 30}),
    "de l'avenir": ("future", {"heures": 24}),
    "HTTP 404": ("http", {"code": 404}),
    "HTTP 500": ("http", {"code": 500}),
    "page HTML": ("page", {}),
    "fichier tronqué": ("tronquee", {}),
    "connexion coupée": ("coupure", {"octets": 600}),
    "au goutte à goutte": ("lenteur", {"debit": 20}),
    **{words: ("piege", {"quoi": name}) for name, (words, _) in TRAPS.items()},
    **_RIGHT,
}
WORDS = frozenset(_FAULTS)
"""The lists that scenarios name."""

_REFRESH = "faire relire la liste blanche à la Source"


@dataclass(slots=True)
class Mislisting:
    """The agency that publishes, and the stranger that is named."""

    attacking: Attacking
    came: list[bytes] = field(default_factory=list)
    """How each who came where these lists lead began."""

    def publish(self, words: Iterable[str]) -> None:
        """Each of these lists, read by the Source; then the stranger asks for the first series.

        Raises:
            CannotVerify: the agency is a real one, or the Source does not read a right list again.
        """
        lists = tuple(words)
        bed = self.attacking.imaging.story.bed
        witness = held(bed)
        self._ans.elsewhere = address(bed, witness)
        try:
            self.attacking.play(
                Attempt(words=one, play=lambda one=one: self._published(one))  # type: ignore[misc]
                for one in lists
            )
        finally:
            self.came = list(witness.visits)
            bed.call(witness.stop)
        if not _RIGHT.keys() >= set(lists):
            self._sentinel()

    def expect_alerted(self) -> None:
        """The administrator is told."""
        self.attacking.imaging.administration.expect(
            "alerts",
            "une alerte parle de la liste blanche",
            lambda row: "liste" in str(row).casefold(),
            expected="une alerte au moins sur la liste blanche refusée",
        )

    def expect_nobody_came(self) -> None:
        """Reading a list asks nothing of anybody that it names."""
        self.attacking.imaging.story.stage.expect(
            "aucune adresse que ces listes portent n'est suivie",
            not self.came,
            expected="personne à ces adresses",
            actual=f"{len(self.came)} visite(s) {begun(self.came)}".rstrip(),
        )

    def expect_taken(self) -> None:
        """The stranger that these lists name is served."""
        imaging = self.attacking.imaging
        for one in self.attacking.played:
            imaging.story.stage.expect(
                f"la liste « {one.attempt.words} » est mise en vigueur",
                bool(one.answer.images) and one.answer.complete,
                expected="qui elle nomme est servi",
                actual=imaging.summary(one.answer),
                exchanges=one.exchanges,
            )

    def restore(self) -> None:
        """The right list is in force again, without the stranger."""
        bed = self.attacking.imaging.story.bed
        if bed.simulators.ans is None:
            return
        bed.simulators.ans.faults.clear()
        bed.publish_white_list()
        self.refresh()

    def _published(self, words: str) -> Retrieved:
        kind, values = _FAULTS[words]
        faults = self._ans.faults
        fault = faults.set(kind, LIST, values)
        try:
            self.list_stranger()
            self.refresh()
            return self._ask()
        finally:
            faults.clear(fault)

    def _sentinel(self) -> None:
        self.list_stranger()
        self.refresh()
        answer = self._ask()
        if not answer.images:
            raise CannotVerify(
                "la Source n'a pas relu la liste blanche : qui une liste juste nomme n'est pas "
                f"servi ({self.attacking.imaging.summary(answer)})"
            )

    def _ask(self) -> Retrieved:
        bed = self.attacking.imaging.story.bed
        return self.attacking.ask(papers=bed.papers.rogues["unlisted"])

    def list_stranger(self) -> None:
        """The agency names the stranger too; it is for `refresh` to have it read."""
        bed = self.attacking.imaging.story.bed
        shown = bed.papers.rogues["unlisted"].certificate.read_bytes()
        bed.publish_white_list(stranger=dn(x509.load_pem_x509_certificates(shown)[0]))

    def refresh(self) -> None:
        """The Source reads the list again."""
        self.attacking.imaging.administration.act("white-list", _REFRESH)

    @property
    def _ans(self) -> Ans:
        ans = self.attacking.imaging.story.bed.simulators.ans
        if ans is None:
            raise CannotVerify("la liste blanche est publiée par une vraie agence")
        return ans
