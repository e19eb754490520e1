"""The body of the report: a PDF that can be kept, and its links to the images."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from protocols.cda import Body
from spec.cda import PDFA_LEVELS
from spec.grade import Grade, Reference
from spec.viewer import PATH
from validators.cda.reading import CdaArtefact
from validators.cda.rules import CDA, DATA, DRAFT_RIS, Findings, r2
from validators.examples import cda as example
from validators.finding import Severity
from validators.rule import Broken

__all__: list[str] = []

_BODY = "component/nonXMLBody/text"
_PDFA = Reference("ISO 19005", "6.1, 6.7.11", Grade.STANDARD)
_PDFA_1 = Reference("REM RIS (projet 2022-2023)", "MSS/CONF.23, ECO.2.1.1", Grade.DRAFT)
_PDF = Reference("ISO 32000-1", "7.5", Grade.STANDARD)


@CDA.rule(
    "CDA-080",
    "Le document a un corps",
    reference=r2("component"),
    bad=lambda: example.document(body=None),
)
def has_body(cda: CdaArtefact) -> Findings:
    body = cda.report.body
    if body is None or not (body.structured or body.media_type or body.data):
        yield Broken(
            message="Ni corps structuré ni fichier joint.",
            expected="nonXMLBody | structuredBody",
            where="component",
        )


@CDA.rule(
    "CDA-081",
    "Le fichier d'un niveau 1 est un PDF en base64",
    reference=DATA,
    bad=lambda: example.document(
        body=Body(media_type="text/plain", representation="TXT", data=b"Examen normal")
    ),
)
def media_type(cda: CdaArtefact) -> Findings:
    body = cda.report.body
    if cda.wrapping and body is not None:
        for value, expected, name in (
            (body.media_type, "application/pdf", "mediaType"),
            (body.representation, "B64", "representation"),
        ):
            if value != expected:
                yield Broken(
                    message=f"L'attribut {name} n'a pas la valeur du volet.",
                    expected=expected,
                    actual=value or "",
                    where=f"{_BODY}/@{name}",
                )


@CDA.rule(
    "CDA-082",
    "Le fichier se décode",
    reference=DATA,
    bad=lambda: example.document(
        edit=lambda data: data.replace(b'representation="B64">', b'representation="B64">*')
    ),
)
def decodes(cda: CdaArtefact) -> Findings:
    body = cda.report.body
    if cda.wrapping and body is not None and (body.error or body.data == b""):
        yield Broken(
            message="Le contenu du fichier ne se décode pas, ou il est vide.",
            expected="base64",
            actual=body.error or "vide",
            where=_BODY,
        )


@CDA.rule(
    "CDA-083",
    "Le fichier est un PDF entier",
    reference=_PDF,
    bad=lambda: example.document(
        body=Body(media_type="application/pdf", representation="B64", data=b"<html/>")
    ),
)
def is_pdf(cda: CdaArtefact) -> Findings:
    body = cda.report.body
    if body is None or not body.data or body.media_type != "application/pdf":
        return
    if cda.pdf is None or not cda.pdf.ended:
        yield Broken(
            message="Le fichier n'est pas un PDF, ou il est tronqué.",
            expected="%PDF-… %%EOF",
            actual=repr(body.data[:16]),
            where=_BODY,
        )


@CDA.rule(
    "CDA-084",
    "Le PDF se déclare PDF/A",
    reference=_PDFA,
    tolerated=True,
    named_by="pdfa",
    bad=lambda: example.pdf_document(part=""),
)
def claims_pdfa(cda: CdaArtefact) -> Findings:
    if cda.pdf is not None and not cda.pdf.pdfa:
        yield Broken(
            message="Le paquet XMP ne déclare aucun niveau de PDF/A.",
            expected="pdfaid:part, pdfaid:conformance",
            actual=f"PDF {cda.pdf.version}",
            where=_BODY,
        )


@CDA.rule(
    "CDA-085",
    "Le PDF est un PDF/A-1, ou du niveau que le profil nomme",
    reference=_PDFA_1,
    tolerated=True,
    named_by="pdfa",
    bad=lambda: example.pdf_document(part="3", conformance="A"),
)
def pdfa_level(cda: CdaArtefact) -> Findings:
    levels = cda.context.demands.pdfa or PDFA_LEVELS
    if cda.pdf is not None and cda.pdf.pdfa and cda.pdf.pdfa not in levels:
        yield Broken(
            message="Le niveau de PDF/A déclaré n'est pas celui attendu.",
            expected=" | ".join(f"PDF/A-{level}" for level in levels),
            actual=f"PDF/A-{cda.pdf.pdfa}",
            where=_BODY,
        )


@CDA.rule(
    "CDA-086",
    "Le PDF n'est pas chiffré",
    reference=_PDFA,
    bad=lambda: example.pdf_document(encrypted=True),
)
def clear(cda: CdaArtefact) -> Findings:
    if cda.pdf is not None and cda.pdf.encrypted:
        yield Broken(
            message="Un PDF/A n'est jamais chiffré, et le patient ne pourrait pas le lire.",
            actual="/Encrypt",
            where=_BODY,
        )


def _viewer_links(cda: CdaArtefact) -> list[str]:
    links = cda.pdf.links if cda.pdf is not None else ()
    return [link for link in links if PATH.casefold() in link.casefold()]


@CDA.rule(
    "CDA-087",
    "Le PDF porte un lien vers la visionneuse pour chaque examen",
    reference=DRAFT_RIS,
    severity=Severity.WARNING,
    requirements=("DB.VI_SO.07",),
    bad=lambda: example.pdf_document(uri=""),
)
def has_links(cda: CdaArtefact) -> Findings:
    if cda.pdf is None or cda.pdf.encrypted:
        return
    links = _viewer_links(cda)
    for uid in dict.fromkeys(cda.study_uids()):
        if not any(f"studyUID={uid}" in link for link in links):
            yield Broken(
                message="Aucun lien actif du PDF ne mène aux images de cet examen.",
                expected=f"https://…{PATH}?…studyUID={uid}…",
                where=_BODY,
            )


@CDA.rule(
    "CDA-088",
    "Les liens vers la visionneuse désignent ce compte rendu, ses examens et ses demandes",
    reference=DRAFT_RIS,
    requirements=("DB.VI_SO.07",),
    bad=lambda: example.pdf_document(uri=example.link(idCDA="1.2.3")),
)
def links_are_coherent(cda: CdaArtefact) -> Findings:
    for link in _viewer_links(cda):
        for name, value, known in _named(cda, link):
            if value not in known:
                yield Broken(
                    message=f"Le paramètre {name} du lien n'est pas du compte rendu.",
                    expected=" | ".join(known),
                    actual=value[:200],
                    where=_BODY,
                )


def _named(cda: CdaArtefact, link: str) -> list[tuple[str, str, list[str]]]:
    """Parameter, value and what the report allows for it; nothing of a link we cannot read."""
    report = cda.report.id
    root, extension = (report.root or "", report.extension or "") if report else ("", "")
    accessions = [
        one.extension or "" for order in cda.report.orders for one in order.accession_numbers
    ]
    allowed = {
        "studyUID": cda.study_uids(),
        "accessionNumber": accessions,
        # The demonstrator writes root_extension; an identifier without extension is its root.
        "idCDA": [f"{root}_{extension}" if extension else root],
    }
    try:
        query = parse_qsl(urlsplit(link).query, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        return []
    return [(name, value, allowed[name]) for name, value in query if name in allowed]
