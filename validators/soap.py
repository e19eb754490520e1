"""The WS-Addressing headers and the assertion of an envelope, as a judge finds them."""

from __future__ import annotations

from lxml import etree

from protocols.xml import NS

__all__ = ["ANONYMOUS", "addressing", "assertions", "header_texts", "text_of"]

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
"""WS-Addressing 1.0 Core section 3.2.1."""

_WSA = f"{{{NS['wsa']}}}"
_WSSE = f"{{{NS['wsse']}}}"
_SAML = f"{{{NS['saml']}}}"


def addressing(envelope: etree._Element | None, name: str) -> list[etree._Element]:
    """The addressing headers of a name, whatever the SOAP version."""
    return [] if envelope is None else envelope.findall(f"{{*}}Header/{_WSA}{name}")


def header_texts(envelope: etree._Element | None, name: str) -> list[str]:
    """Their texts."""
    return [text_of(element) for element in addressing(envelope, name)]


def text_of(element: etree._Element | None) -> str:
    """The text of an element, trimmed, "" when it is absent."""
    return "" if element is None else (element.text or "").strip()


def assertions(envelope: etree._Element) -> tuple[int, int]:
    """How many assertions stand in `wsse:Security`, and how many anywhere."""
    security = envelope.findall(f"{{*}}Header/{_WSSE}Security")
    found = [item for one in security for item in one.findall(f"{_SAML}Assertion")]
    return len(found), len(list(envelope.iter(f"{_SAML}Assertion")))
