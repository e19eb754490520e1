"""What the VIHF rules judge when the assertion comes alone."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from validators.context import Context

__all__ = ["Vihf", "VihfError", "read"]

_ASSERTION = f"{{{NS['saml']}}}Assertion"


class VihfError(RemoteProtocolError):
    """No assertion can be found in these bytes."""


@dataclass(frozen=True, slots=True)
class Vihf:
    """An assertion; `envelope` is the element that it was read from."""

    context: Context
    envelope: etree._Element


def read(data: bytes, context: Context) -> Vihf:
    """Read an assertion, alone or in what surrounds it (`wsse:Security`, an envelope).

    Raises:
        RemoteProtocolError: not XML, or not exactly one assertion.
    """
    root = xml.parse(data.lstrip(b" \t\r\n"))
    found = list(root.iter(_ASSERTION))
    if len(found) != 1:
        raise VihfError(f"une assertion SAML attendue, {len(found)} trouvée(s)", where="/")
    return Vihf(context, root)
