"""Values of the CI-SIS volet "Transmission d'un document CDA-R2 en HL7v2", version 2.1.

Sources, grade `standard` (normative volet) unless a line says otherwise:
IG-hl7v2-volet-transmission-document-cda-r2 2.1.3, pages profils-messages, meta-dmp-mss,
evenements-declenchants, acquittement and error-codes.
"""

from __future__ import annotations

__all__ = [
    "ACK_CODES",
    "APPLICATION_ERRORS",
    "AVAILABLE",
    "CHARACTER_SETS",
    "COUNTRY",
    "DOCUMENT_CODE_SYSTEMS",
    "DOCUMENT_STATUSES",
    "ERROR_CODES",
    "ERROR_SEVERITIES",
    "FORMER_META",
    "FORMER_PROFILE",
    "IMAGING_REPORT",
    "INS_TYPE",
    "LOCAL_TYPE",
    "MDM_EVENTS",
    "META_DMP_MSS",
    "META_SYSTEM",
    "META_TEXTS",
    "PATIENT_CLASSES",
    "PERSON_ID_TYPES",
    "PROCESSING_IDS",
    "PROFILE",
    "QUALIFIED",
    "REPORT_MESSAGES",
    "STRUCTURE_ID_TYPES",
    "TELERADIOLOGY_PROFILE",
    "TRIGGER_VERSIONS",
    "VALUE_TYPES",
    "VERSION_MDM",
    "VERSION_OMI",
    "VERSION_ORU",
    "YES_NO",
]

PROFILE = "2.1^CISIS_CDA_HL7_V2"
"""MSH-21 of the vague 2 reference version."""
FORMER_PROFILE = "2.0^CISIS_CDA_HL7_V2"
"""MSH-21 of version 2.0, seen in a dry-run message (DRIM-M_DATA, grade `sample`)."""
TELERADIOLOGY_PROFILE = "1.0^CISIS_TLR_HL7_V2"
"""MSH-21 of another volet that uses OMI^O23 too (teleradiology, ballot 0.1.0)."""
VERSION_ORU = "2.5"
VERSION_MDM = "2.6"
VERSION_OMI = "2.5.1"
"""DRIM-M_DATA, informative OMI^O23 message (grade `sample`)."""
TRIGGER_VERSIONS = {
    "R01": VERSION_ORU,
    "T02": VERSION_MDM,
    "T04": VERSION_MDM,
    "T10": VERSION_MDM,
    "O23": VERSION_OMI,
}
"""What a DRIMbox receives and acknowledges, by trigger event, and the HL7 version of each."""
CHARACTER_SETS = ("UNICODE UTF-8", "8859/15")
PROCESSING_IDS = ("P", "T", "D")
COUNTRY = "FRA"

PATIENT_CLASSES = ("E", "I", "O", "R", "N")
"""PV1-2."""
QUALIFIED = "VALI"
"""PID-32 of a qualified identity (hl7.fr, fr-core-cs-fiabilite-identite)."""
INS_TYPE = "INS"
"""CX.5 of the INS in PID-3 (DRIM-M_DATA messages, grade `sample`)."""
LOCAL_TYPE = "PI"
"""CX.5 of the IPP in PID-3 (HL7 table 0203)."""

DOCUMENT_STATUSES = {"NW": "F", "RO": "C", "CA": "D"}
"""ORC-1 and the OBX-11 of the document that goes with it: create, replace, delete."""
MDM_EVENTS = {"T02": "NW", "T10": "RO", "T04": "CA"}
"""Trigger event of an MDM and the ORC-1 that goes with it: create, replace, delete."""
REPORT_MESSAGES = ("ORU^R01", *(f"MDM^{event}" for event in MDM_EVENTS))
"""MSH-9.1 and 9.2 of the messages that carry a report."""
AVAILABLE = "AU"
"""TXA-17 (table 0271)."""
IMAGING_REPORT = "18748-4"
"""LOINC code of the imaging report (JDV_J07-XdsTypeCode-CISIS)."""
DOCUMENT_CODE_SYSTEMS = ("LN", "TRE_A05")
"""OBR-4.3."""

STRUCTURE_ID_TYPES = ("FINEJ", "FINEG", "IDNST")
"""PRT-8.7 of a sender."""
VALUE_TYPES = frozenset(
    [
        "AD",
        "CE",
        "CF",
        "CK",
        "CN",
        "CP",
        "CWE",
        "CX",
        "DR",
        "DT",
        "DTM",
        "ED",
        "FT",
        "ID",
        "IS",
        "MA",
        "MO",
        "NA",
        "NM",
        "PN",
        "RP",
        "SI",
        "SN",
        "ST",
        "TM",
        "TN",
        "TS",
        "TX",
        "XAD",
        "XCN",
        "XON",
        "XPN",
        "XTN",
    ]
)
"""HL7 table 0125, value types of OBX-2, versions 2.3 to 2.6."""

PERSON_ID_TYPES = ("RPPS", "IDNPS")
"""PRT-5.13 of a sender."""

META_SYSTEM = "MetaDMPMSS"
META_DMP_MSS = (
    "MASQUE_PS",
    "INVISIBLE_PATIENT",
    "INVISIBLE_REP_LEGAUX",
    "CONNEXION_SECRETE",
    "MODIF_CONF_CODE",
    "DESTDMP",
    "DESTMSSANTEPS",
    "DESTMSSANTEPAT",
    "ACK_RECEPTION",
    "ACK_LECTURE_MSS",
)
"""The ten coded observations behind the document, in their order."""
FORMER_META = {
    "INVISIBLE_REPRESENTANTS_LEGAUX": "INVISIBLE_REP_LEGAUX",
    "MODIF_CONFIDENTIALITYCODE": "MODIF_CONF_CODE",
    "ACK_LECTURE": "ACK_LECTURE_MSS",
}
"""Names that the volet gave before, or gives in its own examples (change-log, exemples)."""
META_TEXTS = ("CORPSMAIL_PS", "CORPSMAIL_PATIENT")
"""The two optional mail bodies that may follow them (OBX-2 `ED`)."""
YES_NO = "expandedYes-NoIndicator"
"""Coding system of the Y and N of those observations (HL7 table 0136)."""

ACK_CODES = ("AA", "AE", "AR")
"""MSA-1, original mode only: responsibility taken, syntax fault, refusal that may be retried."""
ERROR_CODES = {
    "0": "message accepted",
    "100": "segment sequence error",
    "101": "required field missing",
    "102": "data type error",
    "103": "table value not found",
    "198": "non-conformant cardinality",
    "199": "other error",
    "200": "unsupported message type",
    "201": "unsupported event code",
    "202": "unsupported processing id",
    "203": "unsupported version id",
    "204": "unknown key identifier",
    "205": "duplicate key identifier",
    "206": "application record locked",
    "207": "application error",
}
"""ERR-3 (table 0357). 204 to 206 are HL7 base values that the volet does not list."""
ERROR_SEVERITIES = ("E", "F", "I", "W")
"""ERR-4 (table 0516)."""
APPLICATION_ERRORS = ("900", "901", "902", "903", "904", "905", "906")
"""ERR-5 (table 0533, user-defined) of a consumer's integration faults."""
