"""What the white list says, who signs it, and the ways in which it can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from protocols import whitelist
from protocols.whitelist import Domain, Format, WhiteList

__all__ = ["Ans", "ListFault", "Signer"]

ROLLBACK = timedelta(days=30)


class ListFault(StrEnum):
    """A list that a DRIMbox must not put in force."""

    UNSIGNED = "unsigned"
    """The list without signature, as ANS publishes one for homologation."""
    TAMPERED = "tampered"
    """An entry changed after signing."""
    WRONG_SIGNER = "wrong-signer"
    """Rightly signed, by the impostor."""
    ROLLBACK = "rollback"
    """Rightly signed, generated a month before the list in force."""
    TRUNCATED = "truncated"
    """The first half of the file."""
    UNAVAILABLE = "unavailable"
    """No list: HTTP 503."""


@dataclass(frozen=True, slots=True)
class Signer:
    """An ORG SIGN credential."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


class Ans:
    """The list in force and its signer. Changed from any thread, read at each request.

    `format` is that of the signature, one of the two that were published (`protocols.whitelist`).
    """

    def __init__(
        self,
        *,
        signer: Signer,
        clock: Callable[[], datetime],
        domains: Iterable[Domain] = (),
        impostor: Signer | None = None,
        format: Format = "B",
    ) -> None:
        self._signer = signer
        self._format: Format = format
        self._impostor = impostor
        self._clock = clock
        self._fault: ListFault | None = None
        self._white_list = WhiteList(generated=clock(), domains=tuple(domains))
        self._document = self._render()

    @property
    def white_list(self) -> WhiteList:
        """The list in force, before any fault."""
        return self._white_list

    @property
    def fault(self) -> ListFault | None:
        """How it publishes wrongly now."""
        return self._fault

    @property
    def may_fail(self) -> tuple[ListFault, ...]:
        """The faults that `fail` can make."""
        return tuple(
            one for one in ListFault if one is not ListFault.WRONG_SIGNER or self._impostor
        )

    def publish(self, domains: Iterable[Domain], *, generated: datetime | None = None) -> None:
        """Put another list in force, generated now unless told otherwise. Faults stay."""
        self._white_list = WhiteList(generated=generated or self._clock(), domains=tuple(domains))
        self._document = self._render()

    def resign(self, signer: Signer) -> None:
        """Sign by another credential from now on: a rotation, or a wrong one."""
        self._signer = signer
        self._document = self._render()

    def lists(self, operator_dn: str) -> bool:
        """Whether the list in force names that operator."""
        return any(domain.operator_dn == operator_dn for domain in self._white_list.domains)

    def fail(self, fault: ListFault | None) -> None:
        """Publish wrongly from now on; None goes back to what is right.

        Raises:
            ValueError: the fault needs an impostor and none was given.
        """
        if fault is ListFault.WRONG_SIGNER and self._impostor is None:
            raise ValueError("a wrong signer was asked for, but no impostor was given")
        self._fault = fault
        self._document = self._render()

    def document(self) -> bytes | None:
        """The file as it is published now; None when there is none."""
        return self._document

    def _render(self) -> bytes | None:
        fault, white_list, signer = self._fault, self._white_list, self._signer
        if fault is ListFault.UNAVAILABLE:
            return None
        if fault is ListFault.UNSIGNED:
            return whitelist.unsigned(white_list)
        if fault is ListFault.WRONG_SIGNER and self._impostor is not None:
            signer = self._impostor
        if fault is ListFault.ROLLBACK:
            white_list = replace(white_list, generated=white_list.generated - ROLLBACK)
        data = whitelist.build(
            white_list,
            key=signer.key,
            certificate=signer.certificate,
            signing_time=self._clock(),
            format=self._format,
        )
        if fault is ListFault.TAMPERED:
            return _tampered(data, white_list)
        return data[: len(data) // 2] if fault is ListFault.TRUNCATED else data


def _tampered(data: bytes, white_list: WhiteList) -> bytes:
    """One more digit in the first host; in an empty list, the next millennium."""
    if white_list.domains:
        return data.replace(b"<db>", b"<db>0", 1)
    return data.replace(b"<DateDeGeneration>2", b"<DateDeGeneration>3", 1)
