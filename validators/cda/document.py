"""The document itself: what it is, which model it follows, which version it is."""

from __future__ import annotations

import re

from protocols.cda import Id, RelatedDocument
from spec import cda as table
from spec.hl7v2 import IMAGING_REPORT
from spec.imaging_metadata import CONFIDENTIALITY_SYSTEM
from validators.cda.reading import CdaArtefact
from validators.cda.rules import CDA, DATA, Findings, imaging, minimal, r2
from validators.examples import cda as example
from validators.expect import one_of, same
from validators.finding import Severity
from validators.identifiers import is_dtm, is_oid
from validators.rule import Broken

__all__: list[str] = []

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ZONED = re.compile(r"\d{12,14}(\.\d+)?[+-]\d{4}")
_REPLACES = "RPLC"
_LIFE = minimal("setId, versionNumber, relatedDocument")


def _is_root(text: str | None) -> bool:
    return bool(text) and (is_oid(text or "") or _UUID.fullmatch(text or "") is not None)


@CDA.rule(
    "CDA-001",
    "realmCode vaut FR",
    reference=minimal("realmCode"),
    bad=lambda: example.document(realm=None),
)
def realm(cda: CdaArtefact) -> Findings:
    return same(cda.report.realm or "", "FR", "realmCode/@code", "Le domaine")


@CDA.rule(
    "CDA-002",
    "typeId est celui de CDA R2 (POCD_HD000040)",
    reference=r2("typeId"),
    bad=lambda: example.document(edit=lambda data: data.replace(b"POCD_HD000040", b"POCD_HD")),
)
def type_id(cda: CdaArtefact) -> Findings:
    found = cda.find("cda:typeId")
    written = (found[0].get("root", ""), found[0].get("extension", "")) if found else ("", "")
    if written != table.TYPE_ID:
        yield Broken(
            message="typeId ne désigne pas le schéma de CDA R2.",
            expected=" ".join(table.TYPE_ID),
            actual=" ".join(written),
            where="typeId",
        )


@CDA.rule(
    "CDA-003",
    "Le document se déclare conforme à HL7 France et au CI-SIS",
    reference=minimal("templateId"),
    bad=lambda: example.document(template_ids=example.LEVEL_3[1:2]),
)
def french_templates(cda: CdaArtefact) -> Findings:
    for root in table.FRENCH_TEMPLATES:
        if root not in cda.templates:
            yield Broken(
                message="Une déclaration de conformité manque.", expected=root, where="templateId"
            )


@CDA.rule(
    "CDA-004",
    "Un compte rendu de niveau 1 se déclare non structuré",
    reference=DATA,
    tolerated=True,
    bad=lambda: example.document(template_ids=example.LEVEL_3[:2]),
)
def level_1_template(cda: CdaArtefact) -> Findings:
    if cda.wrapping and table.LEVEL_1_TEMPLATE not in cda.templates:
        yield Broken(
            message="Le templateId d'un document de niveau 1 manque.",
            expected=table.LEVEL_1_TEMPLATE,
            where="templateId",
        )


@CDA.rule(
    "CDA-005",
    "Un compte rendu de niveau 1 ne déclare pas les modèles du niveau 3",
    reference=DATA,
    tolerated=True,
    bad=lambda: example.document(template_ids=example.LEVEL_3),
)
def level_3_templates_in_level_1(cda: CdaArtefact) -> Findings:
    claimed = [root for root in table.LEVEL_3_TEMPLATES if root in cda.templates]
    if cda.wrapping and claimed:
        yield Broken(
            message="Le corps est un fichier, et l'en-tête déclare les modèles du niveau 3.",
            expected="HL7 France, CI-SIS et niveau 1 seulement",
            actual=" ".join(claimed),
            where="templateId",
        )


@CDA.rule(
    "CDA-006",
    "Un compte rendu de niveau 3 déclare les quatre modèles de l'imagerie",
    reference=imaging("En-tête, templateId"),
    good=example.structured,
    bad=lambda: example.structured(template_ids=example.LEVEL_3[:-1]),
)
def level_3_templates(cda: CdaArtefact) -> Findings:
    if not cda.structured:
        return
    for root in table.LEVEL_3_TEMPLATES:
        if root not in cda.templates:
            yield Broken(message="Un modèle manque.", expected=root, where="templateId")


@CDA.rule(
    "CDA-007",
    "Le document a un identifiant, un OID",
    reference=minimal("id"),
    bad=lambda: example.document(id=Id("compte-rendu-1")),
)
def document_id(cda: CdaArtefact) -> Findings:
    root = (cda.report.id.root if cda.report.id else None) or ""
    if not is_oid(root):
        yield Broken(
            message="L'identifiant du document n'est pas un OID.",
            expected="OID",
            actual=root,
            where="id/@root",
        )


@CDA.rule(
    "CDA-008",
    "L'identifiant du document est un OID seul, sans extension",
    reference=minimal("id ; le DMP ne reçoit pas aujourd'hui la forme à extension"),
    tolerated=True,
    bad=lambda: example.document(id=Id(example.DOCUMENT, "CR-1")),
)
def document_id_alone(cda: CdaArtefact) -> Findings:
    if cda.report.id and cda.report.id.extension:
        yield Broken(
            message="Le DMP ne sait pas recevoir un identifiant à extension.",
            actual=cda.report.id.extension,
            where="id/@extension",
        )


@CDA.rule(
    "CDA-009",
    "Le document est un compte rendu d'imagerie (LOINC 18748-4)",
    reference=imaging("En-tête, code"),
    bad=lambda: example.document(code=example.code("11528-7", table.LOINC)),
)
def document_code(cda: CdaArtefact) -> Findings:
    code = cda.report.code
    yield from same((code and code.code) or "", IMAGING_REPORT, "code/@code", "Le type")
    yield from same((code and code.system) or "", table.LOINC, "code/@codeSystem", "Le système")


@CDA.rule(
    "CDA-010",
    "Des traductions du code nomment les examens (LOINC)",
    reference=imaging("En-tête, code/translation"),
    severity=Severity.WARNING,
    bad=lambda: example.document(code=example.code(IMAGING_REPORT, table.LOINC)),
)
def examined(cda: CdaArtefact) -> Findings:
    code = cda.report.code
    if code is not None and not any(one.system == table.LOINC for one in code.translations):
        yield Broken(
            message="Aucun examen n'est nommé à côté du type de document.",
            expected="translation du JDV_CodesDocumentImagerie",
            where="code/translation",
        )


@CDA.rule(
    "CDA-011",
    "Le document a un titre",
    reference=minimal("title"),
    bad=lambda: example.document(title=""),
)
def title(cda: CdaArtefact) -> Findings:
    if not cda.report.title:
        yield Broken(message="Le titre manque ou est vide.", where="title")


@CDA.rule(
    "CDA-012",
    "effectiveTime est une date",
    reference=minimal("effectiveTime"),
    bad=lambda: example.document(effective_time="22/11/2026"),
)
def created(cda: CdaArtefact) -> Findings:
    value = cda.report.effective_time or ""
    if not is_dtm(value):
        yield Broken(
            message="La date du document est absente ou illisible.",
            expected="AAAAMMJJHHMMSS+ZZZZ",
            actual=value,
            where="effectiveTime/@value",
        )


@CDA.rule(
    "CDA-013",
    "effectiveTime dit son fuseau horaire",
    reference=minimal("effectiveTime"),
    severity=Severity.WARNING,
    bad=lambda: example.document(effective_time="20261122101500"),
)
def zone(cda: CdaArtefact) -> Findings:
    value = cda.report.effective_time or ""
    if is_dtm(value) and _ZONED.fullmatch(value) is None:
        yield Broken(
            message="Sans fuseau, la date UTC des métadonnées XDS ne se calcule pas.",
            expected="AAAAMMJJHHMMSS+ZZZZ",
            actual=value,
            where="effectiveTime/@value",
        )


@CDA.rule(
    "CDA-014",
    "confidentialityCode est une valeur de HL7 (N pour un compte rendu)",
    reference=minimal("confidentialityCode"),
    bad=lambda: example.document(confidentiality=example.code("MASQUE_PS", CONFIDENTIALITY_SYSTEM)),
)
def confidentiality(cda: CdaArtefact) -> Findings:
    code = cda.report.confidentiality
    value, system = (code and code.code) or "", (code and code.system) or ""
    where = "confidentialityCode"
    yield from one_of(value, table.CONFIDENTIALITIES, f"{where}/@code", "La confidentialité")
    yield from same(system, CONFIDENTIALITY_SYSTEM, f"{where}/@codeSystem", "Le système")


@CDA.rule(
    "CDA-015",
    "languageCode vaut fr-FR",
    reference=minimal("languageCode"),
    bad=lambda: example.document(language="fr"),
)
def language(cda: CdaArtefact) -> Findings:
    return same(cda.report.language or "", "fr-FR", "languageCode/@code", "La langue")


@CDA.rule(
    "CDA-016",
    "setId identifie la suite des versions, par un OID ou un UUID",
    reference=_LIFE,
    bad=lambda: example.document(set_id=None),
)
def set_id(cda: CdaArtefact) -> Findings:
    root = cda.report.set_id.root if cda.report.set_id else ""
    if not _is_root(root):
        yield Broken(
            message="L'identifiant de la suite des versions manque ou est illisible.",
            expected="OID | UUID",
            actual=root or "",
            where="setId/@root",
        )


def _version(cda: CdaArtefact) -> int | None:
    """The version number, None when it is not a positive integer."""
    written = cda.report.version_number or ""
    return int(written) if re.fullmatch(r"[1-9]\d{0,8}", written, re.ASCII) else None


def _replaced(cda: CdaArtefact) -> list[RelatedDocument]:
    return [one for one in cda.report.related_documents if one.type_code == _REPLACES]


@CDA.rule(
    "CDA-017",
    "versionNumber est un entier à partir de 1",
    reference=_LIFE,
    bad=lambda: example.document(version_number="0"),
)
def version_number(cda: CdaArtefact) -> Findings:
    if _version(cda) is None:
        yield Broken(
            message="Le numéro de version manque ou n'est pas un entier positif.",
            actual=cda.report.version_number or "",
            where="versionNumber/@value",
        )


@CDA.rule(
    "CDA-018",
    "Une version suivante nomme celle qu'elle remplace, et elle seule",
    reference=_LIFE,
    bad=lambda: example.document(version_number="2"),
)
def version_replaces(cda: CdaArtefact) -> Findings:
    version, replaced = _version(cda), _replaced(cda)
    if version is not None and (version > 1) != bool(replaced):
        yield Broken(
            message="Le numéro de version et relatedDocument ne disent pas la même chose.",
            expected="versionNumber > 1 avec relatedDocument[@typeCode='RPLC'], ou 1 sans",
            actual=f"versionNumber {version}, {len(replaced)} document remplacé",
            where="relatedDocument",
        )


@CDA.rule(
    "CDA-019",
    "Le document remplacé est identifié, et n'est pas le document lui-même",
    reference=_LIFE,
    bad=lambda: example.document(
        version_number="2",
        related_documents=(RelatedDocument(type_code="RPLC", ids=(Id(example.DOCUMENT),)),),
    ),
)
def replaced_document(cda: CdaArtefact) -> Findings:
    for replaced in _replaced(cda):
        roots = [one.root for one in replaced.ids]
        known = any(_is_root(root) for root in roots)
        if not known or (cda.report.id and cda.report.id in replaced.ids):
            yield Broken(
                message="Une nouvelle version a un nouvel identifiant et nomme l'ancien.",
                expected="parentDocument/id différent de ClinicalDocument/id",
                actual=" ".join(root or "" for root in roots),
                where="relatedDocument/parentDocument/id",
            )
