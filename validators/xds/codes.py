"""ITI-41: the codes of an entry: what the document is, who may see it, what it shows."""

from __future__ import annotations

import re

from protocols.ebrim import Code as Written
from spec import dmp
from spec.imaging_metadata import (
    CCAM,
    CONFIDENTIALITY_SYSTEM,
    FACILITY_SYSTEM,
    MODALITIES,
    MODALITY_SYSTEMS,
    NORMAL,
    PRACTICE_SETTINGS,
    PRACTICE_SYSTEM,
    REGION_SYSTEMS,
    REGIONS,
)
from spec.xds import EntryScheme
from validators.examples import xds as example
from validators.finding import Severity
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject
from validators.xds.rules import DATA, XDS, Findings, pdsm, same
from validators.xds.values import one_code

__all__: list[str] = []

_KOS = ("DB.SO.18", "DB.SO.19")
_ENTRY = pdsm("DocumentEntry")


def _is_code(xds: Submission, scheme: str, name: str, expected: tuple[str, str, str]) -> Findings:
    """The one code that a KOS may have under a scheme."""
    for item in xds.manifests:
        code, faults = one_code(item, scheme, name)
        yield from faults
        if code is not None:
            wanted = f"{expected[0]} ({expected[1]})"
            yield from same(str(code), wanted, item.where(), name)


@XDS.rule(
    "XDS-070",
    "classCode du KOS est 31 (imagerie médicale)",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"class_code": Written("10", "1.2.250.1.213.1.1.4.1", "CR")}),
)
def class_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.CLASS_CODE, "classCode", dmp.KOS_CLASS_CODE)


@XDS.rule(
    "XDS-071",
    "typeCode du KOS est IMG-KOS",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"type_code": Written("18748-4", "2.16.840.1.113883.6.1", "CR d'imagerie")}
    ),
)
def type_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.TYPE_CODE, "typeCode", dmp.KOS_TYPE_CODE)


@XDS.rule(
    "XDS-072",
    "formatCode du KOS est sa classe SOP",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"format_code": None}),
)
def format_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.FORMAT_CODE, "formatCode", dmp.KOS_FORMAT_CODE)


_MASKING = tuple(str(code) for code in dmp.Masking)


@XDS.rule(
    "XDS-073",
    "confidentialityCode porte N, et des codes de masquage connus",
    reference=_ENTRY,
    bad=lambda: example.iti41(
        entry={"confidentiality_codes": (Written("MASQUE_PS", CONFIDENTIALITY_SYSTEM, "Masqué"),)}
    ),
)
def confidentiality(xds: Submission) -> Findings:
    for item in xds.entries:
        codes = item.codes(EntryScheme.CONFIDENTIALITY_CODE)
        where = item.where(
            f"Classification[@classificationScheme='{EntryScheme.CONFIDENTIALITY_CODE}']"
        )
        if not 1 <= len(codes) <= 4 or NORMAL not in [code.value for code in codes]:
            yield Broken(
                message="confidentialityCode porte N et jusqu'à trois codes de masquage.",
                expected=NORMAL,
                actual=" ".join(code.value for code in codes),
                where=where,
            )
        for code in codes:
            masked = code.value in _MASKING and code.scheme == dmp.MASKING_SCHEME
            plain = code.value in ("N", "R", "V") and code.scheme == CONFIDENTIALITY_SYSTEM
            if not (masked or plain):
                yield Broken(
                    message="Ce code de confidentialité est inconnu.",
                    expected=" | ".join((NORMAL, *_MASKING)),
                    actual=str(code),
                    where=where,
                )


@XDS.rule(
    "XDS-074",
    "healthcareFacilityTypeCode est un secteur d'activité (SAnn)",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"facility_type": Written("SA08", "1.2.3", "Cabinet")}),
)
def facility(xds: Submission) -> Findings:
    for item in xds.entries:
        name = "healthcareFacilityTypeCode"
        code, faults = one_code(item, EntryScheme.FACILITY_TYPE_CODE, name)
        yield from faults
        if code is not None and not (
            re.fullmatch(r"SA\d\d", code.value) and code.scheme == FACILITY_SYSTEM
        ):
            yield Broken(
                message="Ce n'est pas un secteur d'activité de TRE_R02.",
                expected=f"SAnn ({FACILITY_SYSTEM})",
                actual=str(code),
                where=item.where(),
            )


@XDS.rule(
    "XDS-075",
    "practiceSettingCode est un cadre d'exercice de TRE_A01",
    reference=_ENTRY,
    bad=lambda: example.iti41(
        entry={"practice_setting": Written("RADIO", "1.2.250.1.213.1.1.4.9", "Radiologie")}
    ),
)
def practice_setting(xds: Submission) -> Findings:
    for item in xds.entries:
        code, faults = one_code(item, EntryScheme.PRACTICE_SETTING_CODE, "practiceSettingCode")
        yield from faults
        if code is not None and not (
            code.value in PRACTICE_SETTINGS and code.scheme == PRACTICE_SYSTEM
        ):
            yield Broken(
                message="Ce n'est pas un cadre d'exercice.",
                expected=f"{' | '.join(PRACTICE_SETTINGS)} ({PRACTICE_SYSTEM})",
                actual=str(code),
                where=item.where(),
            )


def _events(item: RegistryObject) -> list[tuple[str, str]]:
    return [(code.value, code.scheme) for code in item.codes(EntryScheme.EVENT_CODE)]


@XDS.rule(
    "XDS-076",
    "eventCodeList nomme au moins une modalité",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"event_codes": (Written("KO", "1.2.250.1.213.1.1.5.618", "Key Object"),)}
    ),
)
def modality(xds: Submission) -> Findings:
    for item in xds.manifests:
        found = _events(item)
        if not any(code in MODALITIES and scheme in MODALITY_SYSTEMS for code, scheme in found):
            yield Broken(
                message="Aucune modalité de JDV_ModaliteAcquisition.",
                expected=" | ".join(MODALITY_SYSTEMS),
                actual=" ".join(code for code, _ in found),
                where=item.where(),
            )


@XDS.rule(
    "XDS-077",
    "eventCodeList nomme au moins une région anatomique",
    reference=DATA,
    requirements=_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        entry={"event_codes": (Written("CT", "1.2.250.1.213.1.1.5.618", "Scanner"),)}
    ),
)
def region(xds: Submission) -> Findings:
    # The report's header may name none (0..*): asked for, never refused.
    for item in xds.manifests:
        found = _events(item)
        if not any(code in REGIONS for code, _ in found):
            yield Broken(
                message="Aucune région de JDV_RegionAnatomique.",
                expected=" | ".join(REGIONS),
                actual=" ".join(code for code, _ in found),
                where=item.where(),
            )


_FORMS = {"value_set": slice(0, 1), "code_system": slice(1, 2)}
"""What the option `event_code_scheme` keeps of the systems of a code."""


@XDS.rule(
    "XDS-078",
    "Le système de codage des régions et modalités est le leur, dans la forme que le profil nomme",
    reference=DATA,
    requirements=_KOS,
    tolerated=True,
    named_by="event_code_scheme",
    bad=lambda: example.iti41(
        entry={
            "event_codes": (
                Written("CT", "1.2.250.1.213.1.1.5.618", "Scanner"),
                Written("67734004", CCAM, "Thorax"),
            )
        }
    ),
)
def event_systems(xds: Submission) -> Findings:
    # Value-set OID, code-system OID and, in one sample, CCAM compete: the last is a mistake.
    named = xds.context.demands.event_code_scheme
    kept = _FORMS.get(named or "", slice(None))
    for item in xds.manifests:
        for code, scheme in _events(item):
            for values, known in ((REGIONS, REGION_SYSTEMS), (MODALITIES, MODALITY_SYSTEMS)):
                systems = known[kept]
                if code in values and scheme not in systems:
                    yield Broken(
                        message="Ce code n'appartient pas à ce système.",
                        expected=" | ".join(systems),
                        actual=f"{code} ({scheme})",
                        where=item.where(),
                    )
