"""A supplied XSD: compiled with the files that it names, which stand in one folder.

lxml's own loader never runs: the files are gathered first, under addresses that only our resolver
knows. No network, no external entity. Réf. W3C XML Schema 1.0 Part 1, 4.2 (include, import).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from spec.grade import Grade
from validators.finding import Finding, Severity
from validators.supplied.place import place_of
from validators.supplied.schema import SOURCE, Load, SchemaError, beside, rule_id

__all__ = ["Xsd"]

_XS = "{http://www.w3.org/2001/XMLSchema}"
_POINTING = tuple(f"{_XS}{name}" for name in ("include", "import", "redefine", "override"))
_ADDRESS = "drimbench-xsd:/"
_MAX_FILES = 2000
_MAX_FINDINGS = 200
_EXPECTED = re.compile(r"\s*Expected is (?:one of )?\(\s*(.*?)\s*\)\.?\s*$", re.DOTALL)
_NAMESPACE = re.compile(r"\{[^{}\s]*\}")


class Xsd:
    """A compiled XSD.

    Raises:
        SchemaError: not a schema, an unreadable file, or a reference that is refused.
    """

    def __init__(self, name: str, load: Load) -> None:
        self.name = name
        self._files: dict[str, bytes] = {}
        self.namespace = self._gather(name, load)
        try:
            # Under our address too: a file that includes this one means the same document.
            main = etree.fromstring(self._files[name], self._parser(), base_url=_address(name))
            self._schema = etree.XMLSchema(main)
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
            raise SchemaError(f"{name} : XSD refusé : {_plain(str(error))}") from None

    def judge(self, document: etree._Element) -> Iterator[Finding]:
        """One finding per error; a note when the document is of another namespace."""
        written = etree.QName(document).namespace or ""
        if written != self.namespace:
            yield self._finding(
                "ROOT",
                Severity.INFO,
                "Ce schéma ne s'applique pas : la racine est d'un autre espace de noms.",
                expected=self.namespace,
                actual=written,
                where=place_of(document),
            )
            return
        self._schema.validate(document)
        errors: Any = self._schema.error_log  # the stubs do not say what it holds
        for entry in islice(errors, _MAX_FINDINGS):
            message = f"Refusé par le schéma : {_plain(entry.message)}"
            expected = _EXPECTED.search(message)
            yield self._finding(
                entry.type_name.removeprefix("SCHEMAV_"),
                Severity.ERROR,
                message[: expected.start()] if expected else message,
                expected=expected[1] if expected else "",
                where=_place(document, entry.path or "", entry.line),
            )

    def _finding(
        self,
        check: str,
        severity: Severity,
        message: str,
        *,
        expected: str = "",
        actual: str = "",
        where: str = "",
    ) -> Finding:
        return Finding(
            rule=rule_id("XSD", check),
            severity=severity,
            message=message,
            expected=expected,
            actual=actual,
            where=where,
            spec=f"{self.name}, {SOURCE}",
            grade=Grade.STANDARD,
        )

    def _gather(self, name: str, load: Load) -> str:
        """Read a file and those that it names, under our addresses; the target namespace."""
        waiting, known, namespace = [name], {name}, ""
        while waiting:
            current = waiting.pop()
            if len(known) > _MAX_FILES:
                raise SchemaError(f"{current} : plus de {_MAX_FILES} fichiers")
            root = _parse(current, load(current))
            for element in root.iter(*_POINTING):
                location = element.get("schemaLocation")
                if location is None:
                    continue
                target = _target(current, element, location)
                if target not in known:
                    known.add(target)
                    waiting.append(target)
                element.set("schemaLocation", _address(target))
            self._files[current] = etree.tostring(root)
            if current == name:
                namespace = root.get("targetNamespace", "")
        return namespace

    def _parser(self) -> etree.XMLParser:
        parser = _new_parser()
        parser.resolvers.add(_Gathered(self._files))
        return parser


class _Gathered(etree.Resolver):
    """Serves what was gathered, and nothing else."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._known = files

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        data = self._known.get(unquote(system_url.removeprefix(_ADDRESS)), b"<refused/>")
        return self.resolve_string(data, context, base_url=system_url)


def _address(name: str) -> str:
    return _ADDRESS + quote(name)


def _target(name: str, element: etree._Element, location: str) -> str:
    """A published address (`http://www.w3.org/2001/xml.xsd`) stands for the file of its name."""
    try:
        parts = urlsplit(location)
    except ValueError:
        parts = urlsplit("")
    local = posixpath.basename(parts.path) if parts.scheme in ("http", "https") else location
    try:
        return beside(name, local)
    except SchemaError as error:
        raise SchemaError(f"{error} (ligne {element.sourceline})") from None


def _new_parser() -> etree.XMLParser:
    # Published schemas (XML Signature's) have a DTD of their own: it is read past, not fetched.
    return etree.XMLParser(
        resolve_entities="internal",  # type: ignore[arg-type]
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )


def _parse(name: str, data: bytes) -> etree._Element:
    try:
        root = etree.fromstring(data, _new_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SchemaError(f"{name} : XML mal formé : {error}") from None
    if root.tag != f"{_XS}schema":
        raise SchemaError(f"{name} : xs:schema attendu, {str(root.tag)[:120]} trouvé")
    return root


def _place(document: etree._Element, path: str, line: int) -> str:
    """Of the element that libxml2 names by ranks alone (`/*/*[7]`)."""
    try:
        namespaces = {prefix: uri for prefix, uri in document.nsmap.items() if prefix}
        found = document.xpath(f".{path.removeprefix('/*')}", namespaces=namespaces)
    except etree.XPathError:
        found = []
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], etree._Element):
        return place_of(found[0])
    return f"{path} (ligne {line})".strip()


def _plain(message: str) -> str:
    """A message of libxml2 without namespaces and addresses that only the machine reads."""
    return _NAMESPACE.sub("", message).replace(_ADDRESS, "").strip()[:1000]
