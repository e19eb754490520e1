"""The two ways of the DMP to say no: a SOAP fault, or errors inside an answer."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.ebrim import RegistryError
from protocols.xml import NS
from spec.dmp import FaultSubcode
from spec.xds import ErrorCode

__all__ = ["BusinessError", "Refusal"]

_ADDRESSING = (FaultSubcode.ADDRESSING, FaultSubcode.ACTION)


class Refusal(Exception):
    """Authentication, addressing or rights: becomes a SOAP fault on HTTP 500.

    Without a subcode the DMP says that it is at fault itself (`Receiver`).
    """

    def __init__(self, subcode: str, reason: str) -> None:
        super().__init__(reason)
        self.subcode = subcode
        self.reason = reason

    @property
    def namespace(self) -> str:
        """Of the subcode: clients saw the DMP's own under the SOAP prefix."""
        return NS["wsa"] if self.subcode in _ADDRESSING else NS["soap"]


class BusinessError(Exception):
    """The request is understood and refused: becomes a RegistryErrorList."""

    def __init__(self, errors: Iterable[RegistryError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{e.code}: {e.context}" for e in self.errors))

    @classmethod
    def of(cls, code: ErrorCode, context: str, location: str = "") -> BusinessError:
        """One error."""
        return cls((RegistryError(code=code, context=context, location=location),))
