"""`rs:RegistryResponse`: a status and the errors of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from protocols.ebrim.model import EbrimError
from protocols.xml import NS
from spec.xds import ResponseStatus, Severity

__all__ = [
    "RegistryError",
    "RegistryResponse",
    "build_registry_response",
    "error_list",
    "parse_errors",
    "parse_registry_response",
]

_RS = f"{{{NS['rs']}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryError:
    """One error: a code of ITI Vol. 3 table 4.2.4.1-2 and the context that explains it."""

    code: str
    context: str = ""
    location: str = ""
    severity: str = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryResponse:
    """The outcome of ITI-41, ITI-43 or ITI-57."""

    status: str = ResponseStatus.SUCCESS
    errors: tuple[RegistryError, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the status is Success."""
        return self.status == ResponseStatus.SUCCESS


def build_registry_response(response: RegistryResponse) -> etree._Element:
    """`rs:RegistryResponse`."""
    element = etree.Element(
        f"{_RS}RegistryResponse", {"status": response.status}, nsmap={"rs": NS["rs"]}
    )
    error_list(element, response.errors)
    return element


def error_list(parent: etree._Element, errors: Sequence[RegistryError]) -> None:
    """Append a `rs:RegistryErrorList`, unless there is no error."""
    if not errors:
        return
    severities = {error.severity for error in errors}
    highest: str = Severity.ERROR if Severity.ERROR in severities else Severity.WARNING
    element = etree.SubElement(
        parent, f"{_RS}RegistryErrorList", {"highestSeverity": highest}, nsmap={"rs": NS["rs"]}
    )
    for error in errors:
        attributes = {
            "errorCode": error.code,
            "codeContext": error.context,
            "severity": error.severity,
        }
        if error.location:
            attributes["location"] = error.location
        etree.SubElement(element, f"{_RS}RegistryError", attributes)


def parse_registry_response(element: etree._Element) -> RegistryResponse:
    """The outcome in an `rs:RegistryResponse`.

    Raises:
        EbrimError: another element, or no status.
    """
    if element.tag != f"{_RS}RegistryResponse":
        raise EbrimError(f"RegistryResponse attendu, reçu {element.tag}")
    return RegistryResponse(status=status_of(element), errors=parse_errors(element))


def status_of(element: etree._Element) -> str:
    """The status attribute.

    Raises:
        EbrimError: absent.
    """
    status = element.get("status")
    if not status:
        raise EbrimError(f"{etree.QName(element).localname} sans status", where="@status")
    return status


def parse_errors(element: etree._Element) -> tuple[RegistryError, ...]:
    """The errors listed under an answer."""
    return tuple(
        RegistryError(
            code=error.get("errorCode", ""),
            context=error.get("codeContext", ""),
            location=error.get("location", ""),
            severity=error.get("severity", Severity.ERROR),
        )
        for error in element.findall(f"{_RS}RegistryErrorList/{_RS}RegistryError")
    )
