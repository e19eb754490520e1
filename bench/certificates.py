"""What a product shows when its certificates are its own: PEM files, or PEM text by `env:NAME`.

The bench holds no key of the product's: it believes these authorities beside its own, publishes
these names in its white list, and knows the product by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel, ConfigDict

from protocols.dn import attribute, dn
from protocols.pki import ChainError, verify_chain

__all__ = ["AUTHORITIES", "SHOWN", "Certificates", "is_text"]

AUTHORITIES = ("server_authorities", "client_authorities")
SHOWN = tuple(
    f"{role}{use}" for role in ("source", "consumer") for use in ("", "_psc", "_auth", "_sign")
)
"""The keys of what a product shows, those of a role together."""
_BEGIN = "-----BEGIN"


class _Unusable(ValueError):
    """What is not as expected: the text says what is, and what was found."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"{expected} attendu (trouvé : {found})")


class Certificates(BaseModel):
    """Each a PEM file, or its text; "": the product shows what the bench issues."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server_authorities: str = ""
    """Of the certificates of its `db` and of its pages; a root among them."""
    client_authorities: str = ""
    """Of all that follows: what it shows as a client, and signs with; a root among them."""
    source: str = ""
    """By which the white list knows the Source (DNCertificatOperateur is its subject)."""
    source_psc: str = ""
    """Its CN is the client_id of PSC (ANS FAQ on the e-santé proxy, grade `faq`)."""
    source_auth: str = ""
    """ORG AUTH_CLI of the structure that publishes: its OU and O become those of the reports."""
    source_sign: str = ""
    consumer: str = ""
    """What the Consumer shows to other DRIMboxes."""
    consumer_psc: str = ""
    consumer_auth: str = ""
    """ORG AUTH_CLI of the structure that consults."""
    consumer_sign: str = ""

    def authorities(self, key: str) -> tuple[x509.Certificate, ...]:
        """Those of one of the two bundles; none when it is not given.

        Raises:
            ValueError: it cannot be used; the text says what was expected, and found.
        """
        value = getattr(self, key)
        found = _certificates(value, "des certificats d'autorités (PEM)") if value else ()
        if found and not any(one.subject == one.issuer for one in found):
            raise _Unusable("une autorité racine parmi elles", _listed(found))
        return found

    def shown(self, key: str) -> x509.Certificate | None:
        """What the product shows; None when the bench issues it.

        Raises:
            ValueError: as `authorities`.
        """
        value = getattr(self, key)
        return _certificates(value, "un certificat (PEM)")[0] if value else None

    def name(self, key: str, kind: str) -> str:
        """One attribute of the subject of what is shown (`CN`, `OU`, `O`); "" of none.

        Raises:
            ValueError: as `authorities`.
        """
        found = self.shown(key)
        return "" if found is None else "".join(attribute(found, kind)[:1])

    def problems(self, at: datetime) -> Iterator[tuple[str, str]]:
        """Key, and what is wrong with it at that instant, in French."""
        wrong = False
        for key in (*AUTHORITIES, *SHOWN):
            try:
                self._check(key, at)
            except ValueError as error:
                wrong = True
                yield key, str(error)
        if not wrong:
            yield from self._discords()

    def _check(self, key: str, at: datetime) -> None:
        if key in AUTHORITIES:
            for one in self.authorities(key):
                _check_dates(one, at)
            return
        leaf = self.shown(key)
        if leaf is None:
            return
        _check_dates(leaf, at)
        known = self.authorities("client_authorities")
        if not known:
            raise _Unusable("client_authorities, qui en réponde,", "rien")
        between = _certificates(getattr(self, key), "")[1:]
        try:
            roots = [one for one in known if one.subject == one.issuer]
            verify_chain(leaf, (*between, *known), roots, at)
        except ChainError as error:
            raise _Unusable("un certificat dont client_authorities répond", str(error)) from None

    def _discords(self) -> Iterator[tuple[str, str]]:
        for role in ("source", "consumer"):
            auth, sign = f"{role}_auth", f"{role}_sign"
            if not getattr(self, auth):
                continue
            if not (ou := self.name(auth, "OU")):
                yield auth, str(_Unusable("l'identifiant de la structure dans OU", "pas de OU"))
            elif getattr(self, sign) and self.name(sign, "OU") != ou:
                found = self.name(sign, "OU") or "rien"
                yield sign, str(_Unusable(f"OU={ou}, comme {auth},", found))
        for use in ("_auth", "_psc"):
            cn = self.name(f"source{use}", "CN")
            if cn and cn == self.name(f"consumer{use}", "CN"):
                expected = f"un autre CN que source{use}, qui distingue les rôles, ou un seul rôle"
                yield f"consumer{use}", str(_Unusable(expected, cn))


def is_text(value: str) -> bool:
    """Whether it is PEM itself, not the path of a file."""
    return _BEGIN in value


def _certificates(value: str, expected: str) -> tuple[x509.Certificate, ...]:
    try:
        data = value.encode() if is_text(value) else Path(value).read_bytes()
    except OSError as error:
        raise _Unusable(expected, f"{value}, illisible : {error.strerror}") from None
    where = "" if is_text(value) else f"{value}, "
    begins = [line for line in data.splitlines() if line.startswith(_BEGIN.encode())]
    if begins and not any(b"CERTIFICATE" in line for line in begins):
        kind = "une clé sans son certificat" if b"PRIVATE KEY" in begins[0] else "autre chose"
        raise _Unusable(expected, f"{where}{kind}")
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError:
        raise _Unusable(expected, f"{where}rien de tel") from None


def _check_dates(certificate: x509.Certificate, at: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > end:
        raise _Unusable("un certificat en vigueur", f"{dn(certificate)}, expiré le {end:%d/%m/%Y}")
    if at < begin:
        raise _Unusable(
            "un certificat en vigueur", f"{dn(certificate)}, valable dès le {begin:%d/%m/%Y}"
        )


def _listed(certificates: Iterable[x509.Certificate]) -> str:
    return " ; ".join(map(dn, certificates))
