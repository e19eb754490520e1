"""A Schematron schema compiled to XSLT: one mode per pattern, one template per rule.

The stylesheet writes a `<report>`: `<fired/>` for each node that a rule took, `<finding>` for each
check that does not hold, `<stopped>` for each that could not be evaluated. `doc()` and
`document()` become functions of ours that only know the files given to them: the engine itself
reads nothing (see `saxon`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from lxml import etree

from validators.supplied.expansion import SCH, place
from validators.supplied.schematron import Check, Let, Pattern, Rule, Schematron

__all__ = ["FILES", "Stylesheet", "compile_schema", "place_of_line"]

_XSL = "http://www.w3.org/1999/XSL/Transform"
_OURS = "urn:drimbench:schematron"
_ERRORS = "http://www.w3.org/2005/xqt-errors"
_PREFIXES = {
    "kit-xsl": _XSL,
    "kit-sch": _OURS,
    "kit-err": _ERRORS,
    "kit-xs": "http://www.w3.org/2001/XMLSchema",
    "kit-map": "http://www.w3.org/2005/xpath-functions/map",
}
"""Ours are spelt so that a schema may have its own `xsl`, `xs` or `map`."""
FILES = f"{{{_OURS}}}files"
"""The stylesheet's parameter: the name of a file, as the schema writes it -> its document."""
PLACE = f"{{{_OURS}}}place"
"""Attribute of an instruction: `file:line` of what it was made from."""

_TOKEN = re.compile(r"(?P<text>\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*')|(?P<note>\(:.*?:\))", re.DOTALL)
_READING = re.compile(r"(?<![\w.:$@-])(?:fn:)?(document|doc-available|doc)(?=\s*\()")
_EXPRESSIONS = ("select", "match", "use", "test", "group-by", "value")

_FUNCTIONS = f"""
<kit-xsl:stylesheet version="3.0" xmlns:kit-xsl="{_XSL}" xmlns:kit-sch="{_OURS}"
    xmlns:kit-xs="http://www.w3.org/2001/XMLSchema"
    xmlns:kit-map="http://www.w3.org/2005/xpath-functions/map">
  <kit-xsl:param name="kit-sch:files" as="map(*)" select="map {{}}"/>
  <kit-xsl:function name="kit-sch:document" as="node()*">
    <kit-xsl:param name="names" as="item()*"/>
    <kit-xsl:sequence select="
      for $one in $names return
        if (kit-map:contains($kit-sch:files, string($one))) then $kit-sch:files(string($one))
        else error(QName('{_OURS}', 'kit-sch:refused'),
                   concat('fichier absent ou hors du dossier permis : ', $one))"/>
  </kit-xsl:function>
  <kit-xsl:function name="kit-sch:document" as="node()*">
    <kit-xsl:param name="names" as="item()*"/>
    <kit-xsl:param name="base" as="item()*"/>
    <kit-xsl:sequence select="kit-sch:document($names)"/>
  </kit-xsl:function>
  <kit-xsl:function name="kit-sch:doc" as="node()?">
    <kit-xsl:param name="name" as="item()?"/>
    <kit-xsl:sequence select="kit-sch:document($name)"/>
  </kit-xsl:function>
  <kit-xsl:function name="kit-sch:doc-available" as="kit-xs:boolean">
    <kit-xsl:param name="name" as="item()?"/>
    <kit-xsl:sequence select="kit-map:contains($kit-sch:files, string($name))"/>
  </kit-xsl:function>
</kit-xsl:stylesheet>
"""


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """XSLT, and the names of files that its expressions write, whether they exist or not."""

    text: str
    files: tuple[str, ...]


def compile_schema(schema: Schematron) -> Stylesheet:
    """The stylesheet of a schema."""
    return _Compiler(schema).compile()


def place_of_line(stylesheet: str, line: int) -> str:
    """`file:line` of the schema for a line of its stylesheet, "" when it is of our own making."""
    for written in reversed(stylesheet.splitlines()[:line]):
        found = re.search(r' kit-sch:place="([^"]*)"', written)
        if found:
            return found[1]
    return ""


class _Compiler:
    def __init__(self, schema: Schematron) -> None:
        self._schema = schema
        self._files: dict[str, None] = {}

    def compile(self) -> Stylesheet:
        schema = self._schema
        root = etree.Element(
            f"{{{_XSL}}}stylesheet",
            {"version": schema.version, "exclude-result-prefixes": "#all"},
            nsmap={**schema.namespaces, **_PREFIXES},
        )
        for one in etree.fromstring(_FUNCTIONS, etree.XMLParser(remove_blank_text=True)):
            one.set("version", "3.0")
            root.append(one)
        for one in schema.foreign:
            root.append(self._localised(one))
        self._globals(root)
        start = _add(root, "template", match="/", mode="kit-sch:start")
        report = etree.SubElement(start, "report")
        for rank, pattern in enumerate(schema.patterns, start=1):
            _add(report, "apply-templates", select="/", mode=_mode(rank))
            self._pattern(root, pattern, rank)
        return Stylesheet(
            etree.tostring(root, encoding="unicode", pretty_print=True), tuple(self._files)
        )

    def _globals(self, root: etree._Element) -> None:
        """Variables of the schema and of its patterns: official schemas read one's from another.

        Of two patterns that give one name two values, each keeps its own (see `_own`).
        """
        seen: set[str] = set()
        for let in (
            *self._schema.lets,
            *(let for one in self._schema.patterns for let in one.lets),
        ):
            if let.name not in seen:
                seen.add(let.name)
                self._variable(root, let)

    def _own(self, pattern: Pattern) -> list[Let]:
        """Variables of a pattern that another one, or the schema, gives another value."""
        patterns = self._schema.patterns
        every = [*self._schema.lets, *(let for one in patterns for let in one.lets)]
        values = {(let.name, let.value) for let in every}
        several = {name for name, count in Counter(n for n, _ in values).items() if count > 1}
        return [let for let in pattern.lets if let.name in several]

    def _pattern(self, root: etree._Element, pattern: Pattern, rank: int) -> None:
        made = _add(root, "mode", name=_mode(rank), version="3.0")
        made.set("on-no-match", "shallow-skip")
        for order, rule in enumerate(pattern.rules):
            self._rule(root, pattern, rule, mode=_mode(rank), priority=len(pattern.rules) - order)

    def _rule(
        self, root: etree._Element, pattern: Pattern, rule: Rule, *, mode: str, priority: int
    ) -> None:
        template = _add(
            root,
            "template",
            match=self._expression(rule.context),
            mode=mode,
            priority=str(priority),
        )
        template.set(PLACE, rule.place)
        etree.SubElement(template, "fired")
        # Two nets: a variable that cannot be evaluated stops the rule, a check only itself.
        body = _add(template, "try", version="3.0")
        for let in self._own(pattern):
            self._variable(body, let, at_root=True)
        for let in rule.lets:
            self._variable(body, let)
        for check in rule.checks:
            self._check(body, check, rule)
        self._stopped(body, rule, pattern.id, rule.context)
        _add(template, "apply-templates", select="@*|node()", mode=mode)

    def _check(self, parent: etree._Element, check: Check, rule: Rule) -> None:
        body = _add(parent, "try", version="3.0")
        test = self._expression(check.test)
        if not check.is_report:
            test = f"not(({test}))"  # twice: a sequence is one argument
        broken = _add(body, "if", test=test, version=self._schema.version)
        broken.set(PLACE, place(check.message))
        finding = etree.SubElement(
            broken,
            "finding",
            check=_literal(check.id),
            kind="report" if check.is_report else "assert",
            severity=str(check.severity),
            test=_literal(check.test),
        )
        subject = f"({self._expression(check.subject)})[1]" if check.subject else "."
        _add(finding, "attribute", name="at", select=f"path({subject})", version="3.0")
        self._told(etree.SubElement(finding, "message"), check.message)
        for diagnostic in check.diagnostics:
            self._told(etree.SubElement(finding, "diagnostic"), diagnostic)
        self._stopped(body, rule, check.id, check.test)

    def _stopped(self, parent: etree._Element, rule: Rule, id: str, what: str) -> None:
        net = _add(parent, "catch")
        stopped = etree.SubElement(
            net, "stopped", check=_literal(id), test=_literal(what), place=_literal(rule.place)
        )
        _add(stopped, "attribute", name="at", select="path(.)", version="3.0")
        _add(stopped, "value-of", select="$kit-err:description")

    def _variable(self, parent: etree._Element, let: Let, *, at_root: bool = False) -> None:
        variable = _add(parent, "variable", name=let.name, version=self._schema.version)
        variable.set(PLACE, place(let.element))
        kind = let.element.get("as")
        if kind:
            variable.set("as", kind)
        if let.value is None:
            for child in let.element:
                variable.append(self._localised(child))
            if not len(variable):
                variable.text = let.element.text
            return
        value = self._expression(let.value)
        variable.set("select", f"root(.) ! ({value})" if at_root else value)
        if at_root:
            variable.set("version", "3.0")

    def _told(self, parent: etree._Element, content: etree._Element) -> None:
        """Text of a message, its expressions evaluated."""
        _text(parent, content.text)
        for child in content:
            if isinstance(child.tag, str):
                version = self._schema.version
                if child.tag == f"{SCH}value-of":
                    select = self._expression(child.get("select", "."))
                    _add(parent, "value-of", select=select, version=version)
                elif child.tag == f"{SCH}name":
                    select = self._expression(child.get("path", "."))
                    _add(parent, "value-of", select=f"name({select})", version=version)
                else:
                    self._told(parent, child)
            _text(parent, child.tail)

    def _localised(self, element: etree._Element) -> etree._Element:
        """A foreign element, the files that its expressions read made those of the folder."""
        made = etree.fromstring(etree.tostring(element, with_tail=False))
        for one in made.iter():
            for name in _EXPRESSIONS:
                value = one.get(name)
                if value is not None:
                    one.set(name, self._expression(value))
        return made

    def _expression(self, text: str) -> str:
        """An expression that reads files through our functions, and the names that it writes."""
        made, end = [], 0
        for token in _TOKEN.finditer(text):
            made += [_READING.sub(r"kit-sch:\1", text[end : token.start()]), token[0]]
            end = token.end()
            written = token["text"]
            if written is not None and written[1:-1].lower().endswith(".xml"):
                quote = written[0]
                self._files[written[1:-1].replace(quote * 2, quote)] = None
        return "".join((*made, _READING.sub(r"kit-sch:\1", text[end:])))


def _mode(rank: int) -> str:
    return f"kit-sch:pattern-{rank}"


def _add(parent: etree._Element, instruction: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_XSL}}}{instruction}", attributes)


def _literal(text: str) -> str:
    """An attribute of a result element: its braces are no expression."""
    return text.replace("{", "{{").replace("}", "}}")


def _text(parent: etree._Element, text: str | None) -> None:
    if text:
        _add(parent, "text").text = text
