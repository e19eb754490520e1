"""The one way XML enters: no DTD, no entity, no network, no huge tree."""

from __future__ import annotations

from typing import Final, cast

from lxml import etree

from protocols.errors import RemoteProtocolError

__all__ = ["NS", "XmlError", "parse", "serialize"]

NS: dict[str, str] = {
    "cda": "urn:hl7-org:v3",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "lcm": "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0",
    "ps3-20": "urn:dicom-org:ps3-20",
    "query": "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
    "xades111": "http://uri.etsi.org/01903/v1.1.1#",
    "xdsb": "urn:ihe:iti:xds-b:2007",
    "xop": "http://www.w3.org/2004/08/xop/include",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
"""Prefixes used in the paths of this project; what a peer writes as prefix is its own affair."""


_MOST: Final = 256
"""Attributes of one element, namespaces in scope of one: canonical XML sorts both, in a time that
grows as the square of their number (40,000 take half a minute), and no message has thirty."""
_OVER = etree.XPath(f"//@*[{_MOST + 1}]/..")


class XmlError(RemoteProtocolError):
    """Not well-formed, or uses what is refused here (DTD, entities)."""


def parse(data: bytes) -> etree._Element:
    """The root element of a document.

    Raises:
        XmlError: not well-formed, empty, with a document type declaration (the field's messages
            need none, and every XML bomb does), or with an element that has more than 256
            attributes, or as many namespaces in scope.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise XmlError(f"XML mal formé : {error}", where=f"ligne {line}" if line else "") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("déclaration DOCTYPE refusée", where="ligne 1")
    for crowded in cast("list[etree._Element]", _OVER(root)):
        raise _crowded(crowded, len(crowded.attrib), "attributs")
    if data.count(b"xmlns") > _MOST or b"\0" in data:  # as bytes of another encoding may hide them
        for one in root.iter(etree.Element):
            if len(one.nsmap) > _MOST:
                raise _crowded(one, len(one.nsmap), "espaces de noms")
    return root


def _crowded(element: etree._Element, found: int, what: str) -> XmlError:
    name = etree.QName(element).localname
    return XmlError(
        f"<{name}> a {found} {what} : {_MOST} au plus", where=f"ligne {element.sourceline}"
    )


def serialize(element: etree._Element, *, declaration: bool = True) -> bytes:
    """UTF-8 bytes of an element, with the XML declaration unless told otherwise."""
    return etree.tostring(element, xml_declaration=declaration, encoding="UTF-8")
