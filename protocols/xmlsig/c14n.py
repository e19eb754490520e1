"""Canonical octets of an element, whatever the tree around it.

libxml2's inclusive canonicalization of an element in place writes `xmlns=""` where it should not
(lxml 6.1, libxml2 2.14), and a deep copy forgets namespaces that only attribute values use.
So an element is first serialised with all the namespaces in scope, then read again on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.xmlsig import algorithms
from protocols.xmlsig.errors import SignatureError, SignatureFault

__all__ = ["Canonicalization", "canonical", "canonical_document", "standalone"]

_XML = "{http://www.w3.org/XML/1998/namespace}"

# algorithm -> (exclusive, with comments)
_METHODS = {
    algorithms.C14N: (False, False),
    algorithms.C14N_COMMENTS: (False, True),
    algorithms.EXC_C14N: (True, False),
    algorithms.EXC_C14N_COMMENTS: (True, True),
}


@dataclass(frozen=True, slots=True)
class Canonicalization:
    """A canonicalization method and, for the exclusive ones, its InclusiveNamespaces prefixes."""

    algorithm: str
    prefixes: tuple[str, ...] = ()


def standalone(element: etree._Element) -> etree._Element:
    """The element as the root of a document of its own, with the namespaces it had in scope."""
    return xml.parse(etree.tostring(element, with_tail=False))


def canonical(element: etree._Element, method: Canonicalization) -> bytes:
    """The canonical octets of an element of any tree.

    Raises:
        SignatureError: (algorithm) unknown method; (malformed) libxml2 refuses the content, as it
            does for relative namespace names.
    """
    copy = standalone(element)
    if method.algorithm in (algorithms.C14N, algorithms.C14N_COMMENTS):
        _inherit_xml_attributes(copy, element)
    return _octets(copy.getroottree(), method)


def canonical_document(data: bytes, method: Canonicalization) -> bytes:
    """The canonical octets of a whole XML document, what surrounds its root included.

    Raises:
        SignatureError: as for `canonical`.
        XmlError: `data` is not XML.
    """
    return _octets(xml.parse(data).getroottree(), method)


def _inherit_xml_attributes(copy: etree._Element, element: etree._Element) -> None:
    """Inclusive canonicalization takes `xml:` attributes from ancestors (C14N 1.0, 2.4)."""
    for ancestor in element.iterancestors():
        for name, value in ancestor.attrib.items():
            if str(name).startswith(_XML) and name not in copy.attrib:
                copy.set(str(name), str(value))


def _octets(document: etree._ElementTree, method: Canonicalization) -> bytes:
    if method.algorithm not in _METHODS:
        raise SignatureError(
            SignatureFault.ALGORITHM, f"canonicalisation refusée : {method.algorithm!r}"
        )
    exclusive, comments = _METHODS[method.algorithm]
    try:
        return etree.tostring(
            document,
            method="c14n",
            exclusive=exclusive,
            with_comments=comments,
            inclusive_ns_prefixes=list(method.prefixes) if exclusive else None,
        )
    except (etree.LxmlError, ValueError) as error:
        raise SignatureError(
            SignatureFault.MALFORMED, f"canonicalisation impossible : {error}"
        ) from None
