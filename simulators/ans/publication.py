"""What the white list says, who signs it, and the ways in which it can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from protocols import whitelist
from protocols.whitelist import Domain, Format, WhiteList
from simulators.ans.faults import Other, Where, menu
from simulators.ans.hostile import TRAPS, Forge
from wire.faults import Faults, Struck

__all__ = ["Ans", "Signer"]

_REMEMBERED = 50
"""Lists that the history keeps."""


@dataclass(frozen=True, slots=True)
class Signer:
    """An ORG SIGN credential."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


class Ans:
    """The list in force and its signer. Changed from any thread, read at each request.

    Args:
        format: of the signature, one of the two that were published (`protocols.whitelist`).
        others: who may sign instead, on demand (`faults`).
    """

    def __init__(
        self,
        *,
        signer: Signer,
        clock: Callable[[], datetime],
        domains: Iterable[Domain] = (),
        others: Mapping[Other, Signer] | None = None,
        format: Format = "B",
    ) -> None:
        self._signer = signer
        self._format: Format = format
        self._others = dict(others or {})
        self._clock = clock
        self.faults = Faults(menu(frozenset(self._others)))
        self._history: list[tuple[datetime, bytes]] = []
        self._anybody: Signer | None = None
        self.elsewhere = "127.0.0.1:9"
        """`host:port` that traps lead to: nobody should follow."""
        self.publish(domains)

    @property
    def white_list(self) -> WhiteList:
        """The list in force, before any fault."""
        return self._white_list

    @property
    def history(self) -> tuple[tuple[datetime, bytes], ...]:
        """Every list published, with its date of generation, the one in force last."""
        return tuple(self._history)

    def publish(self, domains: Iterable[Domain], *, generated: datetime | None = None) -> None:
        """Put another list in force, generated now unless told otherwise. Faults stay."""
        self._white_list = WhiteList(generated=generated or self._clock(), domains=tuple(domains))
        self._document = self._signed(self._white_list, self._signer)
        self._history = [
            *self._history[1 - _REMEMBERED :],
            (self._white_list.generated, self._document),
        ]

    def resign(self, signer: Signer) -> None:
        """Sign by another credential from now on: a rotation, or a wrong one."""
        self._signer = signer
        self._document = self._signed(self._white_list, signer)

    def lists(self, operator_dn: str) -> bool:
        """Whether the list in force names that operator."""
        return any(domain.operator_dn == operator_dn for domain in self._white_list.domains)

    def document(self, struck: Struck | None = None) -> bytes:
        """The file as it is published, to a request that is struck or not."""
        if struck is None or struck.kind not in _WRONG:
            return self._document
        return _WRONG[struck.kind](self, struck)

    def unsigned(self, struck: Struck | None = None) -> bytes:
        """The list without signature, as ANS also publishes one for homologation."""
        return whitelist.unsigned(self._white_list)

    def _altered(self, struck: Struck) -> bytes:
        return _ALTERED[Where(struck.text("ou"))](self._document)

    def _by_another(self, struck: Struck) -> bytes:
        return self._signed(self._white_list, self._others[Other(struck.text("qui"))])

    def _dated(self, struck: Struck) -> bytes:
        away = (
            timedelta(hours=struck.number("heures"))
            if struck.kind == "future"
            else -timedelta(days=struck.number("jours"))
        )
        generated = self._white_list.generated + away
        return self._signed(replace(self._white_list, generated=generated), self._signer)

    def _halved(self, struck: Struck) -> bytes:
        return self._document[: len(self._document) // 2]

    def _huge(self, struck: Struck) -> bytes:
        more = tuple(
            Domain(
                identifier=str(1_000_000 + number),
                db=f"db{number}.enorme.drimbench.test",
                operator_dn=f"CN=db{number}.enorme.drimbench.test,OU=300000000000000,O=KIT,C=FR",
                denomination="KIT",
                support_contact="support@drimbench.test",
                updated=self._white_list.generated,
            )
            for number in range(struck.number("entrees"))
        )
        return self._signed(
            replace(self._white_list, domains=(*self._white_list.domains, *more)), self._signer
        )

    def _trap(self, struck: Struck) -> bytes:
        _, make = TRAPS[struck.text("quoi")]
        anybody = self._anybody = self._anybody or _anybody(self._signer.certificate)

        def signing(signer: Signer) -> Callable[[bytes], bytes]:
            return lambda data: whitelist.sign(
                data,
                key=signer.key,
                certificate=signer.certificate,
                signing_time=self._clock(),
                format=self._format,
            )

        return make(
            Forge(
                white_list=self._white_list,
                key=self._signer.key,
                other=anybody.key,
                write=whitelist.unsigned,
                sign=signing(self._signer),
                sign_as_other=signing(anybody),
                elsewhere=self.elsewhere,
            )
        )

    def _page(self, struck: Struck) -> bytes:
        return b"<!DOCTYPE html><html><body><h1>Maintenance</h1></body></html>"

    def _signed(self, white_list: WhiteList, signer: Signer) -> bytes:
        return whitelist.build(
            white_list,
            key=signer.key,
            certificate=signer.certificate,
            signing_time=self._clock(),
            format=self._format,
        )


_WRONG: dict[str, Callable[[Ans, Struck], bytes]] = {
    "non-signee": Ans.unsigned,
    "alteree": Ans._altered,
    "signataire": Ans._by_another,
    "ancienne": Ans._dated,
    "future": Ans._dated,
    "tronquee": Ans._halved,
    "enorme": Ans._huge,
    "page": Ans._page,
    "piege": Ans._trap,
}
"""What each fault of the file publishes; the others concern the way that it takes."""

_ALTERED: dict[Where, Callable[[bytes], bytes]] = {
    Where.ENTRY: lambda data: data.replace(b"<db>", b"<db>0", 1),
    Where.NAME: lambda data: data.replace(
        b"<DNCertificatOperateur>CN=", b"<DNCertificatOperateur>CN=0", 1
    ),
    Where.DATE: lambda data: data.replace(b"<DateDeGeneration>2", b"<DateDeGeneration>3", 1),
    Where.SPACE: lambda data: data.replace(b"<ListeDomaines", b" <ListeDomaines", 1),
    Where.VALUE: lambda data: _flipped(data),
}


def _anybody(like: x509.Certificate) -> Signer:
    """A certificate that its holder made, of that subject."""
    key = rsa.generate_private_key(65537, 2048)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(like.subject)
        .issuer_name(like.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(like.not_valid_before_utc)
        .not_valid_after(like.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)


def _flipped(data: bytes) -> bytes:
    """The first character of the signature's value, another."""
    at = data.index(b">", data.index(b"SignatureValue")) + 1
    while data[at : at + 1].isspace():
        at += 1
    return data[:at] + (b"B" if data[at : at + 1] == b"A" else b"A") + data[at + 1 :]
