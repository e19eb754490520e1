"""The sections of a CDA as HTML: what HL7's narrative block allows, and not a tag more.

Elements are made one by one, so that nothing of the document but its text, its cells' spans and its
small images reaches the page. Réf.: HL7 CDA R2 4.3.5 (Section.text), grade: standard.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from lxml import etree

from protocols.xml import NS

__all__ = ["sections"]

_CDA = f"{{{NS['cda']}}}"
_TAGS = {
    "paragraph": "p",
    "list": "ul",
    "item": "li",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tfoot": "tfoot",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "sub": "sub",
    "sup": "sup",
    "content": "span",
    "caption": "strong",
    "footnote": "small",
    "linkHtml": "span",
}
_STYLES = {"Bold": "strong", "Italics": "em", "Underline": "u"}
_IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
}
_MOST_IMAGE = 4 * 1024 * 1024
_DEEPEST_HEADING = 6


def sections(root: etree._Element) -> Iterator[etree._Element]:
    """HTML elements for each section of a structured body, subsections inside their section."""
    media = _media(root)
    for section in root.iterfind(f"{_CDA}component/{_CDA}structuredBody/{_CDA}component/"):
        if section.tag == f"{_CDA}section":
            yield _section(section, 2, media)


def _section(section: etree._Element, level: int, media: Mapping[str, str]) -> etree._Element:
    made = etree.Element("section")
    title = section.find(f"{_CDA}title")
    written = " ".join("".join(map(str, title.itertext())).split()) if title is not None else ""
    if written:
        heading = etree.SubElement(made, f"h{min(level, _DEEPEST_HEADING)}")
        heading.text = written
    text = section.find(f"{_CDA}text")
    if text is not None:
        block = etree.SubElement(made, "div")
        _fill(block, text, media)
    for inner in section.iterfind(f"{_CDA}component/{_CDA}section"):
        made.append(_section(inner, level + 1, media))
    return made


def _fill(made: etree._Element, source: etree._Element, media: Mapping[str, str]) -> None:
    """Put what `source` holds in `made`, text and tails where they were."""
    _say(made, source.text)
    for child in source:
        if isinstance(child.tag, str):
            _put(made, child, media)
        _say(made, child.tail)


def _put(made: etree._Element, child: etree._Element, media: Mapping[str, str]) -> None:
    name = etree.QName(child).localname
    if name == "br":
        etree.SubElement(made, "br")
        return
    if name == "renderMultiMedia":
        for reference in child.get("referencedObject", "").split():
            if reference in media:
                etree.SubElement(made, "img", src=media[reference], alt="Image du compte rendu")
            else:
                _say(made, "[contenu joint non affiché]")
        return
    into = made
    for style in child.get("styleCode", "").split():
        if style in _STYLES and name == "content":
            into = etree.SubElement(into, _STYLES[style])
    if name in _TAGS:
        ordered = name == "list" and child.get("listType") == "ordered"
        into = etree.SubElement(into, "ol" if ordered else _TAGS[name])
        for span in ("colspan", "rowspan"):
            if child.get(span, "").isdecimal() and name in ("th", "td"):
                into.set(span, child.get(span, ""))
    # An element that is not of the narrative block is left out, its text is not.
    _fill(into, child, media)
    if name == "linkHtml" and child.get("href", "").startswith(("https://", "http://")):
        # A frame that may go nowhere: the address is read, not followed.
        _say(into, f" ({child.get('href')})")


def _say(made: etree._Element, text: str | None) -> None:
    if not text:
        return
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _media(root: etree._Element) -> dict[str, str]:
    """The images that sections refer to, by their ID, as `data:` addresses."""
    found: dict[str, str] = {}
    for media in root.iter(f"{_CDA}observationMedia", f"{_CDA}regionOfInterest"):
        value = media.find(f"{_CDA}value")
        if value is None:
            continue
        start = _IMAGES.get(value.get("mediaType", ""))
        written = "".join((value.text or "").split())
        if start is None or len(written) > _MOST_IMAGE:
            continue
        try:
            data = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            continue
        if data.startswith(start):
            found[media.get("ID", "")] = f"data:{value.get('mediaType')};base64,{written}"
    return found
