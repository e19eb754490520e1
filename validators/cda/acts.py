"""What was examined and who asked for it: studies, acts, orders and accession numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from protocols.cda import Id
from spec import cda as table
from spec.imaging_metadata import MODALITIES, MODALITY_SYSTEMS, REGION_SYSTEMS, REGIONS
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from validators.cda.reading import CdaArtefact, codes
from validators.cda.rules import CDA, DATA, DRAFT_RIS, Findings, draft, imaging
from validators.context import Context
from validators.examples import cda as example
from validators.expect import one_of, same
from validators.finding import Severity
from validators.identifiers import dtm, is_oid, is_uid
from validators.rule import Broken

__all__: list[str] = []

_STUDY = ("DB.SO.12",)
_ACCESSION = ("DB.SO.17",)
_ACT = imaging("En-tête, documentationOf/serviceEvent")
_ORDER = imaging("En-tête, inFulfillmentOf/order")
_LONGEST_ACCESSION = 16
"""DICOM PS3.5: an Accession Number is an SH."""


def _with(**changes: Any) -> bytes:
    """The example with another act."""
    return example.document(service_events=(example.act(**changes),))


@CDA.rule(
    "CDA-060",
    "Un acte au moins nomme un examen par son StudyInstanceUID",
    reference=draft("DB.SO.12"),
    requirements=_STUDY,
    bad=lambda: _with(ids=()),
)
def names_a_study(cda: CdaArtefact) -> Findings:
    if not cda.study_uids():
        yield Broken(
            message="Aucun acte ne porte de StudyInstanceUID : la DRIMbox ne saura rien chercher.",
            expected="documentationOf/serviceEvent/id/@root",
            where="documentationOf",
        )


@CDA.rule(
    "CDA-061",
    "Le StudyInstanceUID est un UID DICOM légal",
    reference=_ACT,
    requirements=_STUDY,
    bad=lambda: _with(ids=(Id("1.2.250.1.999.001.5"),)),
)
def legal_study(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        for one in event.ids:
            if not is_uid(one.root or ""):
                yield Broken(
                    message="L'identifiant de l'acte n'est pas un UID DICOM.",
                    expected="UID de 64 caractères au plus, sans zéro en tête",
                    actual=one.root or "",
                    where=f"{where}/id/@root",
                )


@CDA.rule(
    "CDA-062",
    "Le StudyInstanceUID est écrit seul, sans extension",
    reference=_ACT,
    requirements=_STUDY,
    tolerated=True,
    bad=lambda: _with(ids=(Id(example.STUDY, "studyInstanceUID"),)),
)
def study_alone(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        for one in event.ids:
            if one.extension:
                yield Broken(
                    message="L'identifiant d'un examen n'a pas d'extension.",
                    actual=one.extension,
                    where=f"{where}/id/@extension",
                )


@CDA.rule(
    "CDA-063",
    "Un acte d'imagerie nomme un examen et un seul",
    reference=_ACT,
    requirements=_STUDY,
    bad=lambda: _with(ids=(Id(example.STUDY), Id(f"{example.STUDY}.2"))),
)
def one_study_per_act(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        if len(event.ids) > 1:
            yield Broken(
                message="L'acte porte plusieurs identifiants d'examen.",
                expected="1",
                actual=str(len(event.ids)),
                where=f"{where}/id",
            )


@CDA.rule(
    "CDA-064",
    "Un acte d'imagerie a un code LOINC",
    reference=_ACT,
    bad=lambda: _with(system=table.CCAM_SYSTEMS[0]),
)
def act_code(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        code = event.code
        if code is None or not code.code or code.system != table.LOINC:
            yield Broken(
                message="L'acte n'est pas codé en LOINC.",
                expected=table.LOINC,
                actual=codes((code,)) if code else "",
                where=f"{where}/code",
            )


@CDA.rule(
    "CDA-065",
    "Un acte d'imagerie dit sa modalité (qualificatif DCM 121139)",
    reference=_ACT,
    bad=lambda: _with(modality=""),
)
def has_modality(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        if event.code is not None and not event.code.translated(table.MODALITY_QUALIFIER):
            yield Broken(
                message="Aucune traduction ne donne la modalité.",
                expected=f"translation/qualifier/name {table.MODALITY_QUALIFIER}",
                actual=codes(event.code.translations),
                where=f"{where}/code/translation",
            )


@CDA.rule(
    "CDA-066",
    "La modalité est une valeur du JDV_ModaliteAcquisition",
    reference=_ACT,
    bad=lambda: _with(modality="RM"),
)
def known_modality(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        for one in event.code.translated(table.MODALITY_QUALIFIER) if event.code else ():
            if one.code not in MODALITIES or one.system not in MODALITY_SYSTEMS:
                yield Broken(
                    message="La modalité n'est pas du jeu de valeurs.",
                    expected=f"JDV_ModaliteAcquisition ({table.DCM})",
                    actual=codes((one,)),
                    where=f"{where}/code/translation",
                )


@CDA.rule(
    "CDA-067",
    "La région anatomique est une valeur du JDV_RegionAnatomique",
    reference=_ACT,
    bad=lambda: _with(region="69536005"),
)
def known_region(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        for one in event.code.translated(table.REGION_QUALIFIER) if event.code else ():
            if one.code not in REGIONS or one.system not in REGION_SYSTEMS:
                yield Broken(
                    message="La région n'est pas du jeu de valeurs.",
                    expected=f"JDV_RegionAnatomique ({table.SNOMED_CT})",
                    actual=codes((one,)),
                    where=f"{where}/code/translation",
                )


@CDA.rule(
    "CDA-068",
    "Un acte d'imagerie dit une région anatomique",
    reference=DRAFT_RIS,
    severity=Severity.WARNING,
    bad=lambda: _with(region=""),
)
def has_region(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        if event.code is not None and not event.code.translated(table.REGION_QUALIFIER):
            yield Broken(
                message="Sans région, les métadonnées du KOS n'en auront pas.",
                expected=f"translation/qualifier/name {table.REGION_QUALIFIER}",
                where=f"{where}/code/translation",
            )


@CDA.rule(
    "CDA-069",
    "Une traduction sans qualificatif est un code CCAM, sous un OID connu",
    reference=DATA,
    severity=Severity.WARNING,
    bad=lambda: _with(ccam="1.2.250.1.213.2.99"),
)
def ccam(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        for one in event.code.translations if event.code else ():
            if one.qualifier is None:
                path = f"{where}/code/translation/@codeSystem"
                yield from one_of(one.system or "", table.CCAM_SYSTEMS, path, "Le système CCAM")


@CDA.rule(
    "CDA-070",
    "Les actes et les traductions du code du document nomment les mêmes examens",
    reference=imaging("En-tête, code/translation"),
    severity=Severity.WARNING,
    bad=lambda: example.document(
        code=replace(
            example.code("18748-4", table.LOINC),
            translations=(example.code("36235-0", table.LOINC),),
        )
    ),
)
def acts_named_twice(cda: CdaArtefact) -> Findings:
    translations = cda.report.code.translations if cda.report.code else ()
    announced = {one.code for one in translations if one.system == table.LOINC}
    done = {event.code.code for _, event in cda.acts() if event.code}
    if announced and announced != done:
        yield Broken(
            message="Le code du document et les actes ne nomment pas les mêmes examens.",
            expected=" ".join(sorted(code or "" for code in announced)),
            actual=" ".join(sorted(code or "" for code in done)),
            where="documentationOf/serviceEvent/code",
        )


@CDA.rule(
    "CDA-071",
    "Un acte d'imagerie a une date de début, et de fin qui la suit",
    reference=_ACT,
    bad=lambda: _with(low="20261122110000+0100"),
)
def act_time(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        low, high = dtm(event.low or ""), dtm(event.high or "")
        if low is None or (event.high and high is None) or (high and low > high):
            yield Broken(
                message="Les dates de l'acte sont absentes, illisibles ou inversées.",
                expected="low <= high",
                actual=f"{event.low or ''} {event.high or ''}",
                where=f"{where}/effectiveTime",
            )


@CDA.rule(
    "CDA-072",
    "L'exécutant d'un acte est identifié, et sa structure aussi",
    reference=DATA,
    bad=lambda: _with(performers=(example.actor(organization=None),)),
)
def performer(cda: CdaArtefact) -> Findings:
    for where, event in cda.acts():
        if not event.performers:
            yield Broken(message="Aucun exécutant.", where=f"{where}/performer")
        for person in event.performers:
            organization = person.organization.ids if person.organization else ()
            for ids, root, path in (
                (person.ids, PROFESSIONAL_AUTHORITY, "id"),
                (organization, STRUCTURE_AUTHORITY, "representedOrganization/id"),
            ):
                if not any(one.root == root and one.extension for one in ids):
                    yield Broken(
                        message="Un identifiant demandé pour la DRIMbox manque.",
                        expected=root,
                        where=f"{where}/performer/assignedEntity/{path}",
                    )


@CDA.rule(
    "CDA-073",
    "Le compte rendu nomme au moins une demande et son Accession Number",
    reference=draft("DB.SO.17"),
    requirements=_ACCESSION,
    bad=lambda: example.document(orders=()),
)
def names_an_accession(cda: CdaArtefact) -> Findings:
    if not any(order.accession_numbers for order in cda.report.orders):
        yield Broken(
            message="Aucune demande ne porte d'Accession Number.",
            expected="inFulfillmentOf/order/ps3-20:accessionNumber",
            where="inFulfillmentOf",
        )


@CDA.rule(
    "CDA-074",
    "Chaque demande a un numéro et un Accession Number, chacun avec son autorité",
    reference=_ORDER,
    requirements=_ACCESSION,
    bad=lambda: example.document(orders=(example.order(ids=(Id("1.2.3"),)),)),
)
def order_identifiers(cda: CdaArtefact) -> Findings:
    for rank, order in enumerate(cda.report.orders, start=1):
        for ids, path, what in (
            (order.ids, "id", "Le numéro de demande (Order Placer Number)"),
            (order.accession_numbers, "ps3-20:accessionNumber", "L'Accession Number"),
        ):
            if not any(is_oid(one.root or "") and one.extension for one in ids):
                yield Broken(
                    message=f"{what} ou l'OID de son autorité manque.",
                    expected="@root et @extension",
                    actual=" ".join(f"{one.root or ''}:{one.extension or ''}" for one in ids),
                    where=f"inFulfillmentOf[{rank}]/order/{path}",
                )


@CDA.rule(
    "CDA-075",
    "Un Accession Number tient dans l'attribut DICOM (16 caractères)",
    reference=_ORDER,
    requirements=_ACCESSION,
    severity=Severity.WARNING,
    bad=lambda: example.document(
        orders=(example.order(accession_numbers=(Id("1.2.3", "A" * 17),)),)
    ),
)
def accession_fits(cda: CdaArtefact) -> Findings:
    for rank, order in enumerate(cda.report.orders, start=1):
        for one in order.accession_numbers:
            value = one.extension or ""
            if len(value) > _LONGEST_ACCESSION or "\\" in value or value != value.strip():
                yield Broken(
                    message="Le PACS ne peut pas avoir cet Accession Number tel quel.",
                    expected="16 caractères au plus (SH)",
                    actual=value,
                    where=f"inFulfillmentOf[{rank}]/order/ps3-20:accessionNumber/@extension",
                )


@CDA.rule(
    "CDA-077",
    "Les qualificatifs des traductions portent leur système de codage",
    reference=_ACT,
    bad=lambda: example.document(
        edit=lambda data: data.replace(
            f'<name code="121139" codeSystem="{table.DCM}"'.encode(),
            f'<name code="121139" codeSystem="{table.LOINC}"'.encode(),
        )
    ),
)
def qualifier_systems(cda: CdaArtefact) -> Findings:
    systems = {table.MODALITY_QUALIFIER: table.DCM, table.REGION_QUALIFIER: table.LOINC}
    for where, event in cda.acts():
        for one in event.code.translations if event.code else ():
            name = one.qualifier
            expected = systems.get((name and name.code) or "")
            if name is not None and expected is not None:
                path = f"{where}/code/translation/qualifier/name/@codeSystem"
                yield from same(name.system or "", expected, path, "Le système du qualificatif")


@CDA.rule(
    "CDA-078",
    "L'exécutant est déclaré comme tel (performer, PRF)",
    reference=_ACT,
    bad=lambda: example.document(edit=lambda data: data.replace(b' typeCode="PRF"', b"")),
)
def performer_type(cda: CdaArtefact) -> Findings:
    for found in cda.find("cda:documentationOf/cda:serviceEvent/cda:performer"):
        value = str(found.get("typeCode", ""))
        yield from same(value, "PRF", "documentationOf/serviceEvent/performer/@typeCode", "Le rôle")


@CDA.rule(
    "CDA-076",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=draft("DB.SO.12, DB.SO.17"),
    requirements=("DB.SO.12", "DB.SO.17"),
    given=Context(study_uid=example.STUDY, accession=example.ACCESSION),
    bad=lambda: _with(ids=(Id(f"{example.STUDY}.9"),)),
)
def exam_of_case(cda: CdaArtefact) -> Findings:
    accessions = [
        one.extension or "" for order in cda.report.orders for one in order.accession_numbers
    ]
    for expected, written, where, what in (
        (cda.context.study_uid, cda.study_uids(), "documentationOf", "StudyInstanceUID"),
        (cda.context.accession, accessions, "inFulfillmentOf", "Accession Number"),
    ):
        if expected and expected not in written:
            yield Broken(
                message=f"Le compte rendu ne nomme pas le {what} du cas.",
                expected=expected,
                actual=" ".join(written),
                where=where,
            )
