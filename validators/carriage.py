"""What HTTP and its media types demand around a captured message: one text, one rule, many kinds.

Each function registers a rule in a set, and is told how its artefacts say what carried them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from protocols.multipart import Headers
from spec.grade import Grade, Reference
from validators.package import Package, media_type
from validators.rule import Broken, Example, RuleSet

__all__ = ["charset_rule", "fault_status_rule", "host_rule", "success_status_rule"]

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?", re.ASCII)
_VERSION = "HTTP/1.1"
_SUCCESS, _FAULTS = ("200",), ("400", "500")


def host_rule(rules: RuleSet, head: Callable[[Any], tuple[str, Headers]]) -> None:
    """A request over HTTP/1.1 names the host that it is for.

    `head` gives the start line and the headers of a capture, both empty when it has none.
    """

    @rules.rule(
        "HTTP-001",
        "Une requête HTTP/1.1 nomme son hôte, une seule fois",
        reference=Reference("RFC 9112", "3.2", Grade.STANDARD),
        bad=lambda: _without_host(rules.good()),
    )
    def host(artefact: Any) -> Iterator[Broken]:
        start_line, headers = head(artefact)
        if not start_line.endswith(_VERSION):
            return
        hosts = [value for name, value in headers if name.lower() == "host"]
        if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
            yield Broken(
                message="Un serveur refuse cette requête : Host manque, ou n'est pas un hôte.",
                expected="un en-tête Host",
                actual=" | ".join(hosts)[:200] or "absent",
                where="Host",
            )


def _without_host(request: bytes) -> bytes:
    """A captured request without its Host."""
    return re.sub(rb"^Host:[^\n]*\n", b"", request, count=1, flags=re.MULTILINE)


def success_status_rule(rules: RuleSet, package: Callable[[Any], Package]) -> None:
    """A SOAP answer that is not a fault comes with 200."""

    @rules.rule(
        "HTTP-002",
        "Une réponse SOAP qui n'est pas une erreur arrive avec le statut 200",
        reference=Reference("SOAP 1.2 Part 2", "7.5.1.2", Grade.STANDARD),
        bad=lambda: _answered(rules.good(), "500 Internal Server Error"),
    )
    def success(artefact: Any) -> Iterator[Broken]:
        yield from _status(package(artefact), _SUCCESS)


def fault_status_rule(rules: RuleSet, package: Callable[[Any], Package]) -> None:
    """A SOAP fault comes with an HTTP error."""

    @rules.rule(
        "HTTP-003",
        "Une erreur SOAP arrive avec le statut 400 ou 500",
        reference=Reference("SOAP 1.2 Part 2", "7.5.2.2, table 20", Grade.STANDARD),
        bad=lambda: _answered(rules.good(), "200 OK"),
    )
    def failure(artefact: Any) -> Iterator[Broken]:
        # The DMP answers 500 to the sender's faults too, for which the table has 400.
        yield from _status(package(artefact), _FAULTS)


def _status(package: Package, expected: tuple[str, ...]) -> Iterator[Broken]:
    if not package.is_http:
        return
    words = package.start_line.split(" ")
    status = words[1] if len(words) > 1 else ""
    if status not in expected:
        yield Broken(
            message="Ce statut HTTP contredit ce que dit l'enveloppe.",
            expected=" | ".join(expected),
            actual=status or package.start_line[:80],
            where="ligne de statut",
        )


def _answered(answer: bytes, status: str) -> bytes:
    return re.sub(rb"\AHTTP/1\.1 [^\r\n]*", f"HTTP/1.1 {status}".encode(), answer)


def charset_rule(rules: RuleSet, package: Callable[[Any], Package], make: Example) -> None:
    """The charset of an XML media type is the encoding of the document.

    `make` gives an example whose charset is UTF-8.
    """

    @rules.rule(
        "HTTP-004",
        "Le paramètre charset, s'il est écrit, est l'encodage de l'enveloppe",
        reference=Reference("RFC 3902, RFC 7303", "2, 3.2", Grade.STANDARD),
        bad=lambda: make().replace(b"charset=UTF-8", b"charset=UTF-16", 1),
    )
    def charset(artefact: Any) -> Iterator[Broken]:
        found = package(artefact)
        kind, parameters = media_type(found.content_type)
        written = parameters.get("charset")
        if written is None or not kind.endswith("xml"):
            return
        encoding = _encoding(found.root)
        if _codec(written) != _codec(encoding):
            yield Broken(
                message="Qui suit charset ne peut pas lire ce document.",
                expected=encoding,
                actual=written[:80],
                where="Content-Type",
            )


def _encoding(root: etree._Element) -> str:
    return root.getroottree().docinfo.encoding or "UTF-8"


def _codec(name: str) -> str:
    """One name for the aliases of an encoding; the name itself when it is unknown."""
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return f"? {name.lower()}"
