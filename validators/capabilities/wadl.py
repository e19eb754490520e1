"""The WADL document: what DICOM and the WADL submission demand of its elements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from spec.grade import Grade, Reference
from validators.capabilities.reading import Capabilities
from validators.capabilities.rules import CAPABILITIES, Findings
from validators.examples import capabilities as example
from validators.rule import Broken

__all__: list[str] = []

_ANNEX_H = Reference("DICOM PS3.18", "annexe H", Grade.STANDARD)
_MANY = 2000
"""Elements of a name that are looked at."""
_SHOWN = 20
_VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(?:\s*;.*)?", re.ASCII | re.DOTALL)
_STATUS = re.compile(r"[1-5]\d\d(?:\s+[1-5]\d\d)*", re.ASCII)
_STYLES = ("header", "query", "template", "matrix", "plain")
_BOOLEANS = ("true", "false", "1", "0")


def _wadl(section: str) -> Reference:
    return Reference("WADL (W3C Member Submission, 2009)", section, Grade.STANDARD)


def _each(answer: Capabilities, name: str) -> Iterator[etree._Element]:
    """The first elements of a name; none of a description that is not WADL."""
    root = answer.wadl
    return iter(()) if root is None else islice(root.iter(f"{{*}}{name}"), _MANY)


def _retrievals(answer: Capabilities) -> Iterator[tuple[etree._Element, str]]:
    """The methods that retrieve, after the path of their resource."""
    for method in _each(answer, "method"):
        parent = method.getparent()
        path = "" if parent is None else parent.get("path", "")[:200]
        if method.get("name") == "GET" and path.rstrip("/").endswith("}"):
            yield method, path


def _spoiled(right: str, wrong: str) -> bytes:
    return example.wadl().replace(right.encode(), wrong.encode(), 1)


@CAPABILITIES.rule(
    "CAPA-010",
    "La description a un élément resources et un seul",
    reference=_ANNEX_H,
    bad=lambda: _spoiled("</wadl:application>", "<wadl:resources/></wadl:application>"),
)
def one_tree(answer: Capabilities) -> Findings:
    if answer.wadl is None:
        return
    count = len(answer.wadl.findall("{*}resources"))
    if count != 1:
        yield Broken(
            message="La description n'a pas un arbre de ressources et un seul.",
            expected="1",
            actual=str(count),
            where="/application/resources",
        )


@CAPABILITIES.rule(
    "CAPA-011",
    "Chaque méthode a le nom d'une méthode HTTP, et un id qui n'est qu'à elle",
    reference=_ANNEX_H,
    bad=lambda: _spoiled(' id="RetrieveStudy"', ""),
)
def methods(answer: Capabilities) -> Findings:
    found = list(_each(answer, "method"))
    ids = Counter(method.get("id", "") for method in found)
    wrong = (
        (method.get("name", ""), method.get("id", ""))
        for method in found
        # A method may be written once and referred to from elsewhere (WADL 2.8).
        if method.get("href") is None
        and (
            method.get("name", "") not in _VERBS
            or not method.get("id")
            or ids[method.get("id", "")] > 1
        )
    )
    for name, id in islice(wrong, _SHOWN):
        yield Broken(
            message="Cette méthode n'est pas nommée, ou son id manque ou se répète.",
            expected="name et id",
            actual=f"name={name[:40]} id={id[:80]}",
            where="//method",
        )


@CAPABILITIES.rule(
    "CAPA-012",
    "Une récupération dit ce que son en-tête Accept admet",
    reference=_ANNEX_H,
    bad=lambda: example.wadl(headers=("Authorization", "KOS-SOPInstanceUID")),
)
def accepts(answer: Capabilities) -> Findings:
    for method, path in islice(_retrievals(answer), _SHOWN):
        headers = [
            param.get("name", "").lower()
            for param in method.iterfind("{*}request/{*}param")
            if param.get("style") == "header"
        ]
        if "accept" not in headers:
            yield Broken(
                message="L'en-tête Accept n'est pas décrit.",
                expected="request/param name='Accept' style='header'",
                actual=", ".join(headers)[:200] or "rien",
                where=path,
            )


@CAPABILITIES.rule(
    "CAPA-013",
    "Une récupération a des réponses, leurs statuts et leurs types de média",
    reference=_ANNEX_H,
    bad=lambda: _spoiled(' status="200"', ""),
)
def answers(answer: Capabilities) -> Findings:
    for method, path in islice(_retrievals(answer), _SHOWN):
        responses = method.findall("{*}response")
        statuses = [one.get("status", "") for one in responses]
        if not responses or not all(_STATUS.fullmatch(one.strip()) for one in statuses):
            yield Broken(
                message="Une réponse manque, ou ne dit pas son statut.",
                expected="response status='200'",
                actual=", ".join(statuses)[:200] or "aucune réponse",
                where=path,
            )
        kinds = [
            one.get("mediaType", "")
            for response in responses
            for one in response.iterfind("{*}representation")
        ]
        if not kinds or not all(_MEDIA_TYPE.fullmatch(one) for one in kinds):
            yield Broken(
                message="Aucun type de média n'est décrit, ou l'un d'eux est illisible.",
                expected="representation mediaType='…/…'",
                actual=", ".join(kinds)[:200] or "rien",
                where=path,
            )


@CAPABILITIES.rule(
    "CAPA-014",
    "Un paramètre a un nom et un style, et required est un booléen",
    reference=_wadl("2.12"),
    bad=lambda: _spoiled('style="header"', 'style="cookie"'),
)
def parameters(answer: Capabilities) -> Findings:
    wrong = (
        param
        for param in _each(answer, "param")
        if param.get("href") is None
        and (
            not param.get("name")
            or param.get("style") not in _STYLES
            or param.get("required", "false") not in _BOOLEANS
        )
    )
    for param in islice(wrong, _SHOWN):
        said = (f"{key}={param.get(key, '')[:40]}" for key in ("name", "style", "required"))
        yield Broken(
            message="Ce paramètre est mal décrit.",
            expected=f"name, style ({' | '.join(_STYLES)}), required (true | false)",
            actual=" ".join(said),
            where="//param",
        )
