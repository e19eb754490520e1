"""The one way XML enters: no DTD, no entity, no network, no huge tree."""

from __future__ import annotations

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


class XmlError(RemoteProtocolError):
    """Not well-formed, or uses what is refused here (DTD, entities)."""


def parse(data: bytes) -> etree._Element:
    """The root element of a document.

    Raises:
        XmlError: not well-formed, empty, or with a document type declaration: the field's
            messages need none, and every XML bomb does.
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
    return root


def serialize(element: etree._Element, *, declaration: bool = True) -> bytes:
    """UTF-8 bytes of an element, with the XML declaration unless told otherwise."""
    return etree.tostring(element, xml_declaration=declaration, encoding="UTF-8")
