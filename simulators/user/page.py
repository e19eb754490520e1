"""A page as its reader sees it: text, alerts, tables, links, and forms that can be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urljoin

from lxml import etree, html

__all__ = ["Button", "Form", "Link", "Page", "read_page"]

_ALERTS = "//*[@role='alert' or contains(concat(' ', normalize-space(@class), ' '), ' alert ')]"
_REFRESH = re.compile(r"\s*(\d{1,4}(?:\.\d{1,3})?)\s*", re.ASCII)
_INVISIBLE = frozenset(("head", "script", "style", "template", "noscript"))


@dataclass(frozen=True, slots=True)
class Button:
    """What submits a form: its label, and the field it adds (name may be empty)."""

    label: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link: what is read on it, and where it leads (absolute)."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: what would be sent if nothing were changed, and what may be changed."""

    id: str
    name: str
    method: str
    action: str
    """Absolute URL."""
    enctype: str
    fields: tuple[tuple[str, str], ...]
    """Values now: hidden and text fields, boxes and choices that are ticked."""
    choices: tuple[tuple[str, str], ...]
    """Every (name, value) that radio buttons, boxes and lists offer."""
    buttons: tuple[Button, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names of the fields that a person can fill in or tick."""
        return frozenset(name for name, _ in (*self.fields, *self.choices))


@dataclass(frozen=True)
class Page:
    """One answer, shown. `html` is "" when the answer was no HTML."""

    status: int
    url: str
    html: str = field(repr=False)
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def _root(self) -> etree._Element | None:
        try:
            return html.document_fromstring(self.html) if self.html.strip() else None
        except (etree.ParserError, ValueError):
            return None

    def text(self) -> str:
        """What can be read, one space between words. Scripts and styles are not read."""
        if self._root is None:
            return ""
        return " ".join(" ".join(_visible(self._root)).split())

    @cached_property
    def title(self) -> str:
        """The document's title."""
        titles = [] if self._root is None else _select(self._root, "//title")
        return _text(titles[0]) if titles else ""

    @cached_property
    def alerts(self) -> tuple[str, ...]:
        """Messages marked `role="alert"`, or of class `alert`."""
        if self._root is None:
            return ()
        return tuple(_text(node) for node in _select(self._root, _ALERTS))

    @cached_property
    def tables(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """Each table as rows of cells, headings included."""
        if self._root is None:
            return ()
        return tuple(
            tuple(
                tuple(_text(cell) for cell in _select(row, "./th | ./td"))
                for row in _select(table, ".//tr")
            )
            for table in _select(self._root, "//table")
        )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every link with an address."""
        if self._root is None:
            return ()
        return tuple(
            Link(_text(node), _absolute(self.url, node.get("href", "")))
            for node in _select(self._root, "//a[@href]")
        )

    @cached_property
    def frames(self) -> tuple[str, ...]:
        """Addresses of what is shown in frames (absolute)."""
        if self._root is None:
            return ()
        return tuple(
            _absolute(self.url, node.get("src", ""))
            for node in _select(self._root, "//iframe[@src]")
        )

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Every form."""
        if self._root is None:
            return ()
        return tuple(_form(node, self.url) for node in _select(self._root, "//form"))

    @cached_property
    def refresh(self) -> float | None:
        """Seconds after which a browser without script asks for the page again by itself; None
        when it does not, or goes elsewhere."""
        if self._root is None:
            return None
        for node in _select(self._root, "//meta[@http-equiv and @content]"):
            match = _REFRESH.fullmatch(node.get("content", ""))
            if node.get("http-equiv", "").casefold() == "refresh" and match:
                return float(match[1])
        return None

    @cached_property
    def digits(self) -> str:
        """The two digits of a page that waits for an answer on a telephone (CIBA), in the element
        of id `ciba-chiffres`; "" on any other."""
        if self._root is None:
            return ""
        found = _select(self._root, "//*[@id='ciba-chiffres']")
        return _text(found[0]) if found else ""

    def around(self, form: str) -> str | None:
        """What can be read in the table row or list item that holds the form of that id, in all of
        the page when nothing of the sort does; None without such a form."""
        if self._root is None:
            return None
        for node in _select(self._root, "//form[@id]"):
            if node.get("id") == form:
                holders = _select(node, "ancestor::*[self::tr or self::li or self::article]")
                return _text(holders[-1]) if holders else self.text()
        return None

    def form(self, wanted: str) -> Form | None:
        """The form of that id, of that name, or with a button of that label."""
        for form in self.forms:
            if wanted in (form.id, form.name):
                return form
        for form in self.forms:
            if any(button.label.casefold() == wanted.casefold() for button in form.buttons):
                return form
        return None

    def link(self, label: str) -> Link | None:
        """The first link on which exactly that is read, whatever its case."""
        wanted = label.casefold()
        return next((link for link in self.links if link.label.casefold() == wanted), None)


def read_page(status: int, url: str, content_type: str, body: bytes) -> Page:
    """The page that an answer shows. Unknown or lying encodings are read as well as can be."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        return Page(status, url, "", kind, body)
    charset = "utf-8"
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"')
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return Page(status, url, text, kind, body)


def _form(node: etree._Element, url: str) -> Form:
    fields: list[tuple[str, str]] = []
    choices: list[tuple[str, str]] = []
    buttons: list[Button] = []
    for control in _controls(node):
        name = control.get("name", "")
        kind = control.get("type", "submit" if control.tag == "button" else "text").lower()
        value = control.get("value", "")
        if control.get("disabled") is not None:
            continue
        if kind in ("submit", "image") and control.tag in ("button", "input"):
            label = _text(control) if control.tag == "button" else value
            buttons.append(Button(label or control.get("aria-label", ""), name, value))
        elif kind in ("button", "reset") or not name:
            continue
        elif control.tag == "select":
            _options(control, name, fields, choices)
        elif control.tag == "textarea":
            fields.append((name, control.text or ""))
        elif kind in ("radio", "checkbox"):
            choices.append((name, value or "on"))
            if control.get("checked") is not None:
                fields.append((name, value or "on"))
        else:
            fields.append((name, value))
    return Form(
        id=node.get("id", ""),
        name=node.get("name", ""),
        method=node.get("method", "get").upper(),
        action=_absolute(url, node.get("action", "")),
        enctype=node.get("enctype", "application/x-www-form-urlencoded").lower(),
        fields=tuple(fields),
        choices=tuple(choices),
        buttons=tuple(buttons),
    )


def _controls(form: etree._Element) -> Iterator[etree._Element]:
    """What belongs to a form: what is in it, and what names it from elsewhere (HTML 4.10.18.3)."""
    inside = set(_select(form, ".//*"))
    for control in _select(form, "//input | //textarea | //select | //button"):
        named = control.get("form")
        if control in inside if named is None else named and named == form.get("id"):
            yield control


def _options(
    control: etree._Element,
    name: str,
    fields: list[tuple[str, str]],
    choices: list[tuple[str, str]],
) -> None:
    options = _select(control, ".//option")
    values = [option.get("value", _text(option)) for option in options]
    ticked = [
        value
        for option, value in zip(options, values, strict=True)
        if option.get("selected") is not None
    ]
    if not ticked and values and control.get("multiple") is None:
        ticked = values[:1]  # what a browser shows is what it sends
    choices += [(name, value) for value in values]
    fields += [(name, value) for value in ticked]


def _visible(node: etree._Element) -> Iterator[str]:
    if isinstance(node.tag, str) and node.tag not in _INVISIBLE:  # a comment's tag is no text
        yield node.text or ""
        for child in node:
            yield from _visible(child)
            yield child.tail or ""


def _select(node: etree._Element, path: str) -> list[etree._Element]:
    found = node.xpath(path)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, etree._Element)]


def _text(node: etree._Element) -> str:
    return " ".join("".join(str(piece) for piece in node.itertext()).split())


def _absolute(base: str, reference: str) -> str:
    """Where a reference leads; one that cannot be read is left as it is written."""
    try:
        return urljoin(base, reference.strip())
    except ValueError:
        return reference
