"""What an attacker shows as a client certificate, by the French words of the scenarios.

Each is made when it is first shown, under the name of a member of the white list unless its fault
is the name. Their private key is one that protects nothing (`Pki.throwaway_key`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from bench.bed import Bed
from simulators.igc import CredentialFiles
from simulators.igc.credential import Credential
from simulators.igc.pki import PLACE, STRUCTURE, Pki
from simulators.igc.specimens import SPECIMENS, Structure, reissued

__all__ = ["WORDS", "made", "papers_of"]

_Make = Callable[[Pki, Structure], Credential]

_SPECIMENS = {
    "signé par lui-même": "auto-signe",
    "d'autorités de mêmes noms": "sosie",
    "de signature": "org-sign",
    "d'usage serveur": "usage-serveur",
    "SERV SSL": "serv-ssl",
    "expiré": "expire",
    "pas encore valable": "a-venir",
    "d'une autorité en trop": "chaine-trop-longue",
    "de clé RSA 1024": "rsa-1024",
    "signé par SHA-1": "sha-1",
    "de la gamme de production": "production",
    "de l'autorité des personnes": "personnes",
    "d'une ancienne autorité": "intermediaire-expire",
}


def _named(who: Structure, **changes: str) -> list[x509.RelativeDistinguishedName]:
    """The listed name, some attributes changed, in the order of IGC-Santé."""
    values = {"C": "FR", "ST": PLACE, "O": STRUCTURE, "OU": who.ou, "CN": who.cn, **changes}
    return [_rdn((kind, value)) for kind, value in values.items()]


_OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}


def _rdn(*pairs: tuple[str, str]) -> x509.RelativeDistinguishedName:
    return x509.RelativeDistinguishedName(
        [x509.NameAttribute(_OIDS[kind], value) for kind, value in pairs]
    )


_NAMES: dict[str, Callable[[Structure], list[x509.RelativeDistinguishedName]]] = {
    "en capitales": lambda who: _named(who, CN=who.cn.upper()),
    "espace à la fin": lambda who: _named(who, CN=f"{who.cn} "),
    "préfixe": lambda who: _named(who, CN=f"x{who.cn}"),
    "suffixe": lambda who: _named(who, CN=f"{who.cn}.exemple.fr"),
    # U+0435, the Cyrillic letter that looks like this Latin one
    "homographe": lambda who: _named(who, CN=who.cn.replace("e", "\u0435", 1)),
    "OU de plus": lambda who: [*_named(who)[:4], _rdn(("OU", "autre")), *_named(who)[4:]],
    "RDN à plusieurs valeurs": lambda who: [
        *_named(who)[:3], _rdn(("OU", who.ou), ("CN", who.cn))
    ],
    "nom entier dans O": lambda who: _named(
        who, CN="autre", O=f"x,CN={who.cn},OU={who.ou}"[:64]
    ),
    "virgule échappée": lambda who: _named(who, CN=f"{who.cn},OU={who.ou}"[:64]),
    "octet nul": lambda who: _named(who, CN=f"{who.cn}\0.fr"),
    "autre OU": lambda who: _named(who, OU=f"{who.ou}9"),
    "autre ST": lambda who: _named(who, ST="Sarthe (72)"),
    "autre O": lambda who: _named(who, O="AUTRE STRUCTURE"),
}  # fmt: skip


def _renamed(rdns: Callable[[Structure], list[x509.RelativeDistinguishedName]]) -> _Make:
    def make(pki: Pki, who: Structure) -> Credential:
        right = pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key)
        return reissued(pki, right, subject=x509.Name(rdns(who)))

    return make


def _critical(pki: Pki, who: Structure) -> Credential:
    """With an extension that nobody knows, and that must be."""
    right = pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00")
    return reissued(pki, right, more=(unknown,), critical=True)


def _alone(pki: Pki, who: Structure) -> Credential:
    """Right, without the intermediate that a client sends along."""
    return replace(pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key), chain=())


_MAKERS: dict[str, _Make] = {
    **{words: next(one.make for one in SPECIMENS if one.name == name)
       for words, name in _SPECIMENS.items()},
    **{words: _renamed(rdns) for words, rdns in _NAMES.items()},
    "d'extension critique inconnue": _critical,
    "sans son intermédiaire": _alone,
}  # fmt: skip

WORDS = frozenset(_MAKERS)
"""Those that `papers_of` knows."""


def made(pki: Pki, words: str, who: Structure) -> Credential:
    """The certificate of these words, of that PKI, in that name or nearly.

    Raises:
        KeyError: none has these words.
    """
    return _MAKERS[words](pki, who)


def papers_of(bed: Bed, words: str) -> CredentialFiles:
    """The certificate of these words, made once for a bed.

    Raises:
        KeyError: none has these words.
    """
    who = Structure(cn=bed.site.names.neighbour, ou=bed.site.operator)
    return _written(bed.papers.pki, bed.papers.directory, words, who)


@lru_cache(maxsize=64)
def _written(pki: Pki, folder: Path, words: str, who: Structure) -> CredentialFiles:
    return made(pki, words, who).write(folder, f"attaque-{sorted(_MAKERS).index(words)}")
