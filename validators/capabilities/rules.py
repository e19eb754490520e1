"""Capabilities and health check of a Source: alive, described, and nothing said too much.

No public text fixes the path, the method or the JSON form of the health check: what a JSON body
holds is only judged when it describes resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import etree

from spec.grade import Grade, Reference
from spec.wado import KOS_HEADER
from validators.capabilities.reading import WADL, Capabilities
from validators.examples import capabilities as example
from validators.finding import Severity
from validators.rule import Broken, RuleSet

__all__ = ["CAPABILITIES", "OWN", "Findings"]

Findings = Iterator[Broken]

_DICOMWEB = Reference("DICOM PS3.18", "8.9", Grade.STANDARD)
_DRAFT = Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.103", Grade.DRAFT)
_ANNEX_H = Reference("DICOM PS3.18", "annexe H", Grade.STANDARD)
_DEMONSTRATOR = Reference("DRIM-M_DRIMbox (ANS)", "OPTIONS /studies", Grade.DEMONSTRATOR)
OWN = Reference("drimbench", "la sonde ne montre que la vie du service", Grade.INFERRED)

CAPABILITIES = RuleSet(
    "capacites",
    good=lambda: example.http(example.wadl()),
    syntax="CAPA-000",
    unreadable=lambda: b"<application",
    reference=_DICOMWEB,
    requirements=("DB.SO.103",),
)
_SERIES = "studies/{}/series/{}"
_TYPES = {
    "xml": ("application/vnd.sun.wadl+xml", "application/xml", "text/xml"),
    "json": ("application/json",),
}
_WRITING = ("POST", "PUT", "DELETE", "PATCH")
_VERSION = re.compile(r"\d+\.\d+")


@CAPABILITIES.rule(
    "CAPA-001",
    "La réponse HTTP est un succès",
    reference=_DRAFT,
    bad=lambda: example.http(example.wadl(), status="503 Service Unavailable"),
)
def alive(answer: Capabilities) -> Findings:
    if answer.status is not None and not 200 <= answer.status < 300:
        yield Broken(
            message="Le service ne se dit pas disponible.",
            expected="200",
            actual=str(answer.status),
            where="ligne de statut",
        )


@CAPABILITIES.rule(
    "CAPA-002",
    "Le type de contenu est celui du corps : WADL ou JSON",
    reference=_DICOMWEB,
    bad=lambda: example.http(example.wadl(), media_type="application/json"),
)
def content_type(answer: Capabilities) -> Findings:
    if answer.status is None or (answer.wadl is None and answer.document is None):
        return
    expected = _TYPES["xml" if answer.wadl is not None else "json"]
    if answer.content_type not in expected:
        yield Broken(
            message="Le type de contenu n'est pas celui du corps.",
            expected=" | ".join(expected),
            actual=answer.content_type or "absent",
            where="Content-Type",
        )


@CAPABILITIES.rule(
    "CAPA-003",
    "Un document XML est un WADL",
    reference=_DICOMWEB,
    bad=lambda: example.wadl(namespace="http://wadl.dev.java.net/2006/10"),
)
def is_wadl(answer: Capabilities) -> Findings:
    if answer.wadl is None:
        return
    name = etree.QName(answer.wadl)
    if (name.namespace, name.localname) != (WADL, "application"):
        yield Broken(
            message="La racine n'est pas celle d'un WADL.",
            expected=f"{{{WADL}}}application",
            actual=str(answer.wadl.tag)[:200],
            where="/*",
        )


@CAPABILITIES.rule(
    "CAPA-004",
    "La description dit où commencent ses chemins",
    reference=_ANNEX_H,
    severity=Severity.WARNING,
    bad=lambda: example.wadl(base="ailleurs"),
)
def base(answer: Capabilities) -> Findings:
    if not answer.describes:
        return
    found = answer.base
    try:
        absolute = found is not None and urlsplit(found).scheme in ("http", "https")
    except ValueError:
        absolute = False
    if not absolute:
        yield Broken(
            message="base n'est pas une adresse absolue.",
            expected="https://…",
            actual=found[:200] if found is not None else "absent",
            where="resources/@base",
        )


@CAPABILITIES.rule(
    "CAPA-005",
    "La récupération d'une série par GET est annoncée",
    reference=_DRAFT,
    bad=lambda: example.wadl(paths=("studies/{StudyInstanceUID}",)),
)
def retrieves_series(answer: Capabilities) -> Findings:
    if not answer.describes:
        return
    methods = answer.methods
    if not any(one.verb == "GET" and _ends(one.path, _SERIES) for one in methods):
        yield Broken(
            message="La récupération d'une série n'est pas annoncée.",
            expected=f"GET {_SERIES}",
            actual=", ".join(f"{one.verb} {one.path}" for one in methods[:10])[:500] or "rien",
            where="resources",
        )


def _ends(path: str, wanted: str) -> bool:
    return path == wanted or path.endswith(f"/{wanted}")


@CAPABILITIES.rule(
    "CAPA-006",
    "Les images sont annoncées en multipart/related d'application/dicom",
    reference=_DICOMWEB,
    severity=Severity.WARNING,
    bad=lambda: example.wadl(media_type="image/jpeg"),
)
def representations(answer: Capabilities) -> Findings:
    for one in answer.methods if answer.describes else ():
        if one.verb != "GET" or not _ends(one.path, _SERIES) or not one.media_types:
            continue
        if not any(_is_dicom(media_type) for media_type in one.media_types):
            yield Broken(
                message="Les objets DICOM ne sont pas annoncés.",
                expected='multipart/related; type="application/dicom"',
                actual=", ".join(one.media_types)[:300],
                where=one.path,
            )


def _is_dicom(media_type: str) -> bool:
    lower = media_type.lower()
    return "application/dicom" in lower.replace("application/dicom+", "")


@CAPABILITIES.rule(
    "CAPA-007",
    "L'en-tête KOS-SOPInstanceUID est annoncé",
    reference=_DEMONSTRATOR,
    severity=Severity.WARNING,
    bad=lambda: example.wadl(headers=("Accept", "Authorization")),
)
def kos_header(answer: Capabilities) -> Findings:
    yield from _announced(answer, KOS_HEADER)


@CAPABILITIES.rule(
    "CAPA-015",
    "L'en-tête Authorization est annoncé",
    reference=_DEMONSTRATOR,
    severity=Severity.WARNING,
    bad=lambda: example.wadl(headers=("Accept", KOS_HEADER)),
)
def token_header(answer: Capabilities) -> Findings:
    yield from _announced(answer, "Authorization")


def _announced(answer: Capabilities, header: str) -> Findings:
    """The retrieval of a series names a header."""
    for one in answer.methods if answer.describes else ():
        if one.verb != "GET" or not _ends(one.path, _SERIES):
            continue
        if header.lower() not in [name.lower() for name in one.headers]:
            yield Broken(
                message="Un consommateur ne saurait pas que cet en-tête est demandé.",
                expected=header,
                actual=", ".join(one.headers)[:300] or "aucun en-tête",
                where=one.path,
            )


@CAPABILITIES.rule(
    "CAPA-008",
    "Rien n'est offert qui écrive ou qui énumère des examens",
    reference=OWN,
    severity=Severity.WARNING,
    bad=lambda: example.wadl(paths=("studies", "studies/{StudyInstanceUID}/series/{Series}")),
)
def nothing_more(answer: Capabilities) -> Findings:
    for one in answer.methods if answer.describes else ():
        writes = one.verb.upper() in _WRITING
        lists = one.verb == "GET" and not one.path.endswith("}")
        if writes or (lists and re.search(r"(^|/)(studies|series|instances)$", one.path)):
            yield Broken(
                message="Ce service permettrait d'écrire, ou d'énumérer des examens.",
                expected="récupérer ce qu'un KOS désigne",
                actual=f"{one.verb[:10]} {one.path[:200]}",
                where=one.path[:200],
            )


@CAPABILITIES.rule(
    "CAPA-009",
    "Les en-têtes ne disent pas la version du produit",
    reference=OWN,
    severity=Severity.WARNING,
    bad=lambda: example.http(example.wadl(), more=(("Server", "Exemple/4.2.1"),)),
)
def no_version(answer: Capabilities) -> Findings:
    for name, value in answer.headers:
        if name.lower() in ("server", "x-powered-by") and _VERSION.search(value):
            yield Broken(
                message="Une sonde sans jeton apprend la version du produit.",
                actual=value[:200],
                where=name,
            )
