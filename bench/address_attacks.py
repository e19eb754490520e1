"""Client certificates whose addresses lead to the attacker, and who comes there.

Where a CRL, a status or an issuer may be had is told by the certificate itself: whoever has not
verified its chain follows the attacker's word, inside the hospital's network (RFC 5280 8). The
bench holds the port that these addresses name, and counts who comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import AuthorityInformationAccessOID

from bench.attackers import made
from bench.attacking import Attacking, Attempt, told
from bench.witnessing import address, begun, held
from simulators.igc import CredentialFiles
from simulators.igc.credential import Credential
from simulators.igc.pki import Pki
from simulators.igc.specimens import Structure, reissued
from simulators.peer import Retrieved
from wire.witness import Witness

__all__ = ["LEADING", "AddressAttacks"]

_UNTRUSTED = ("http://{at}/kit.crl", "ldap://{at}/cn=kit?certificateRevocationList", "file:///etc/")
_UNFETCHED = ("ldap://{at}/cn=kit?certificateRevocationList", "file:///etc/hostname")


def _leading(words: str) -> Callable[[Pki, Structure, str], Credential]:
    """A certificate that proves nothing, with these addresses."""

    def make(pki: Pki, who: Structure, at: str) -> Credential:
        wrong = made(pki, words, who)
        return _signed_as(wrong, pki, who, _points([one.format(at=at) for one in _UNTRUSTED]))

    return make


def _signed_as(
    wrong: Credential, pki: Pki, who: Structure, more: tuple[x509.ExtensionType, ...]
) -> Credential:
    """The same names and dates, signed by its own key: no authority that is trusted knows it."""
    old = wrong.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(wrong.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    addresses = (x509.CRLDistributionPoints, x509.AuthorityInformationAccess)
    for one in old.extensions:
        if not isinstance(one.value, addresses):
            builder = builder.add_extension(one.value, critical=one.critical)
    for value in more:
        builder = builder.add_extension(value, critical=False)
    return Credential(wrong.key, builder.sign(wrong.key, SHA256()), wrong.chain)


def _unfetched(pki: Pki, who: Structure, at: str) -> Credential:
    """By the right authority, which names no address by HTTP."""
    right = pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key)
    addresses = (x509.CRLDistributionPoints, x509.AuthorityInformationAccess)

    def change(one: x509.Extension[x509.ExtensionType]) -> x509.ExtensionType | None:
        return None if isinstance(one.value, addresses) else one.value

    more = _points([one.format(at=at) for one in _UNFETCHED])
    return reissued(pki, right, change=change, more=more)


def _points(urls: Iterable[str]) -> tuple[x509.ExtensionType, ...]:
    """Where its CRL, its status and its issuer would be: there."""
    names = [x509.UniformResourceIdentifier(one) for one in urls]
    access = (AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS)
    return (
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([name], None, None, None) for name in names]
        ),
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, name) for method in access for name in names]
        ),
    )


LEADING: Mapping[str, Callable[[Pki, Structure, str], Credential]] = {
    "signé par lui-même": _leading("signé par lui-même"),
    "d'autorités de mêmes noms": _leading("d'autorités de mêmes noms"),
    "de l'IGC-Santé, aux adresses ldap et file": _unfetched,
}
"""Words -> a certificate whose addresses are at that `host:port`."""


@dataclass(slots=True)
class AddressAttacks:
    """Makes the attempts, and holds the port; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    came: dict[str, list[bytes]] = field(default_factory=dict)
    """Words -> how each who came began."""
    _ports: dict[str, Witness] = field(default_factory=dict)

    # -- Quand -------------------------------------------------------------------------------

    def leading(self, words: Iterable[str]) -> None:
        """The first series under each of these certificates, each with a port of its own, which is
        held until the right request that follows is served."""
        try:
            self.attacking.play(
                Attempt(words=one, play=lambda one=one: self._shown(one))  # type: ignore[misc]
                for one in words
            )
        finally:
            for one, witness in self._ports.items():
                self.came[one] = list(witness.visits)
                self.attacking.imaging.story.bed.call(witness.stop)

    # -- Alors -------------------------------------------------------------------------------

    def expect_nobody_came(self) -> None:
        """Each has an answer, or a refusal, and nobody has come to its addresses."""
        for one in self.attacking.played:
            answer, came = one.answer, self.came[one.attempt.words]
            decided = answer.refused or answer.status == 503 or bool(answer.images)
            self.attacking.imaging.story.stage.expect(
                f"sous le certificat « {one.attempt.words} », aucune de ses adresses n'est suivie",
                decided and not came,
                expected="une réponse, et personne à ces adresses",
                actual=f"{told(answer)} ; {len(came)} visite(s) {begun(came)}".rstrip(),
                exchanges=one.exchanges,
            )

    # -- inside ------------------------------------------------------------------------------

    def _shown(self, words: str) -> Retrieved:
        bed = self.attacking.imaging.story.bed
        witness = self._ports[words] = held(bed)
        who = Structure(cn=bed.site.names.neighbour, ou=bed.site.operator)
        made_for = LEADING[words](bed.papers.pki, who, address(bed, witness))
        rank = sorted(LEADING).index(words)
        return self._ask(made_for.write(bed.papers.directory, f"adresses-{rank}"))

    def _ask(self, papers: CredentialFiles) -> Retrieved:
        return self.attacking.ask(papers=papers)
