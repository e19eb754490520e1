"""XML and SOAP: indented lines with names, attributes and values told apart."""

from __future__ import annotations

from lxml import etree

from protocols.errors import RemoteProtocolError
from protocols.xml import NS, parse
from reports import redact
from reports.annotate.model import Block, Code, Fact, Facts, Section, Token
from reports.annotate.text import plain, shown

__all__ = ["sections"]

MAX_LINES = 700
MAX_VALUE = 400
MAX_DEPTH = 60


def sections(body: bytes, title: str, *, folded: bool = False) -> tuple[Section, ...]:
    """The sections of an XML body: for SOAP, its addressing first; then the indented document."""
    try:
        root = parse(body)
    except RemoteProtocolError as error:
        blocks, note = plain(body.decode("utf-8", "replace"))
        said = "; ".join(filter(None, (str(error), note)))
        return (Section(f"{title} (XML illisible)", blocks, said, folded),)
    lines: list[tuple[Token, ...]] = []
    complete = _write(root, 0, lines)
    note = "" if complete else f"affichage coupé à {MAX_LINES} lignes"
    code: tuple[Block, ...] = (Code(tuple(lines)),)
    facts = _addressing(root)
    blocks = (facts, *code) if facts.rows else code
    return (Section(title, blocks, note, folded),)


def _addressing(root: etree._Element) -> Facts:
    """Action and identifiers of WS-Addressing, and the fault when there is one."""
    wanted = {
        "Action": "wsa:Action",
        "MessageID": "wsa:MessageID",
        "RelatesTo": "wsa:RelatesTo",
    }
    rows = [
        Fact(name, shown(found.strip(), MAX_VALUE))
        for name, path in wanted.items()
        if (found := root.findtext(f"soap:Header/{path}", namespaces=NS))
    ]
    fault = root.find("soap:Body/soap:Fault", NS)
    if fault is not None:
        for name, path in (
            ("Fault Code", "soap:Code/soap:Value"),
            ("Fault Subcode", "soap:Code/soap:Subcode/soap:Value"),
            ("Fault Reason", "soap:Reason/soap:Text"),
        ):
            if found := fault.findtext(path, namespaces=NS):
                rows.append(Fact(name, shown(found.strip(), MAX_VALUE)))
    return Facts(tuple(rows))


def _write(element: etree._Element, depth: int, lines: list[tuple[Token, ...]]) -> bool:
    """Append the lines of an element; False when the display is full."""
    if len(lines) >= MAX_LINES:
        return False
    indent = Token("", "  " * depth)
    if not isinstance(element.tag, str):
        content = shown((element.text or "").strip(), MAX_VALUE)
        lines.append((indent, Token("comment", f"<!-- {content} -->")))
        return True
    name = _qualified(element)
    start = [indent, Token("tag", f"<{name}"), *_attributes(element)]
    content = (element.text or "").strip()
    if len(element) == 0:
        if content:
            if _is_secret(element):
                content = redact.value(etree.QName(element).localname, content)
            value = Token("", shown(content, MAX_VALUE))
            lines.append((*start, Token("tag", ">"), value, Token("tag", f"</{name}>")))
        else:
            lines.append((*start, Token("tag", "/>")))
        return True
    lines.append((*start, Token("tag", ">")))
    inner = Token("", "  " * (depth + 1))
    if content:
        lines.append((inner, Token("", shown(content, MAX_VALUE))))
    if depth >= MAX_DEPTH:
        lines.append((inner, Token("comment", "… plus profond, non affiché")))
    else:
        for child in element:
            if not _write(child, depth + 1, lines):
                return False
            if tail := (child.tail or "").strip():
                lines.append((inner, Token("", shown(tail, MAX_VALUE))))
    lines.append((indent, Token("tag", f"</{name}>")))
    return True


def _is_secret(element: etree._Element) -> bool:
    # `code` is a common element of HL7 v3: only unmistakable names are masked by their name.
    return etree.QName(element).localname.lower() in {"password", "access_token", "refresh_token"}


def _qualified(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _attributes(element: etree._Element) -> list[Token]:
    """Namespace declarations made here, then the attributes, as written."""
    parent = element.getparent()
    inherited = parent.nsmap if parent is not None else {}
    tokens = []
    for prefix, uri in sorted(element.nsmap.items(), key=lambda pair: pair[0] or ""):
        if inherited.get(prefix) != uri:
            declared = f"xmlns:{prefix}" if prefix else "xmlns"
            tokens += [Token("name", f" {declared}="), Token("string", f'"{uri}"')]
    by_uri = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    by_uri["http://www.w3.org/XML/1998/namespace"] = "xml"
    for key, content in element.attrib.items():
        name = etree.QName(str(key))
        written = name.localname
        if name.namespace:
            written = f"{by_uri.get(name.namespace, '?')}:{name.localname}"
        value = shown(str(content), MAX_VALUE)
        tokens += [Token("name", f" {written}="), Token("string", f'"{value}"')]
    return tokens
