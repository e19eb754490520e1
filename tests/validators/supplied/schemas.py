"""Tiny schemas of ours, and the documents that they judge."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from validators.finding import Finding
from validators.supplied import SchemaError

SCH = "http://purl.oclc.org/dsdl/schematron"
XS = "http://www.w3.org/2001/XMLSchema"


def schema(*content: str, binding: str = "xslt2", **attributes: str) -> str:
    """A Schematron of that content; the prefix `e` is `urn:e`."""
    others = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<schema xmlns="{SCH}" queryBinding="{binding}"{others}>'
        f'<ns prefix="e" uri="urn:e"/>\n{"".join(content)}</schema>'
    )


def pattern(*rules: str, id: str = "m") -> str:
    return f'<pattern id="{id}">{"".join(rules)}</pattern>'


def rule(context: str, *checks: str) -> str:
    return f'<rule context="{context}">{"".join(checks)}</rule>'


def document(content: str = "<a b='1'/>\n<a b='2'/>") -> etree._Element:
    return etree.fromstring(f"<r xmlns='urn:e'>\n{content}</r>")


class Files(dict[str, str]):
    """Files of a folder that only exists in memory."""

    def load(self, name: str) -> bytes:
        if name not in self:
            raise SchemaError(f"{name} : absent")
        return self[name].encode()


def told(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Rule and message of each."""
    return [(one.rule, one.message) for one in findings]
