"""How HL7 v2 calls its segments, fields and components: what a reader of a message wants to know.

Only the segments that DRIM-M messages hold. Names and data types as in HL7 v2.5 chapters 2, 3, 4, 7
and 9; PRT as in HL7 v2.9 chapter 7 (pre-adopted by the CI-SIS volet "Transmission d'un document
CDA-R2 en HL7v2", 2.1); names of `Z` segments as in PAM France. Grade: standard.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COMPONENTS", "FIELDS", "SEGMENTS", "component_name", "field_name", "segment_name"]

SEGMENTS: Final[dict[str, str]] = {
    "MSH": "Message Header",
    "SFT": "Software Segment",
    "EVN": "Event Type",
    "PID": "Patient Identification",
    "PD1": "Patient Additional Demographic",
    "PV1": "Patient Visit",
    "ORC": "Common Order",
    "OBR": "Observation Request",
    "TQ1": "Timing/Quantity",
    "TXA": "Transcription Document Header",
    "OBX": "Observation/Result",
    "PRT": "Participation Information",
    "NTE": "Notes and Comments",
    "IPC": "Imaging Procedure Control",
    "MSA": "Message Acknowledgment",
    "ERR": "Error",
    "ZBE": "Movement (PAM France)",
    "ZFA": "DMP Status (PAM France)",
    "ZFD": "Patient Complement (PAM France)",
}

# "name:type", the type only where its components have names below.
_FIELDS: Final[dict[str, dict[int, str]]] = {
    "MSH": {
        1: "Field Separator",
        2: "Encoding Characters",
        3: "Sending Application:HD",
        4: "Sending Facility:HD",
        5: "Receiving Application:HD",
        6: "Receiving Facility:HD",
        7: "Date/Time of Message",
        8: "Security",
        9: "Message Type:MSG",
        10: "Message Control ID",
        11: "Processing ID",
        12: "Version ID:VID",
        13: "Sequence Number",
        14: "Continuation Pointer",
        15: "Accept Acknowledgment Type",
        16: "Application Acknowledgment Type",
        17: "Country Code",
        18: "Character Set",
        19: "Principal Language of Message:CE",
        20: "Alternate Character Set Handling Scheme",
        21: "Message Profile Identifier:EI",
    },
    "EVN": {
        1: "Event Type Code",
        2: "Recorded Date/Time",
        3: "Date/Time Planned Event",
        4: "Event Reason Code",
        5: "Operator ID:XCN",
        6: "Event Occurred",
        7: "Event Facility:HD",
    },
    "PID": {
        1: "Set ID - PID",
        2: "Patient ID:CX",
        3: "Patient Identifier List:CX",
        4: "Alternate Patient ID - PID:CX",
        5: "Patient Name:XPN",
        6: "Mother's Maiden Name:XPN",
        7: "Date/Time of Birth",
        8: "Administrative Sex",
        9: "Patient Alias:XPN",
        10: "Race:CE",
        11: "Patient Address:XAD",
        12: "County Code",
        13: "Phone Number - Home:XTN",
        14: "Phone Number - Business:XTN",
        15: "Primary Language:CE",
        16: "Marital Status:CE",
        17: "Religion:CE",
        18: "Patient Account Number:CX",
        21: "Mother's Identifier:CX",
        23: "Birth Place",
        24: "Multiple Birth Indicator",
        25: "Birth Order",
        29: "Patient Death Date and Time",
        30: "Patient Death Indicator",
        31: "Identity Unknown Indicator",
        32: "Identity Reliability Code",
        33: "Last Update Date/Time",
    },
    "PV1": {
        1: "Set ID - PV1",
        2: "Patient Class",
        3: "Assigned Patient Location:PL",
        4: "Admission Type",
        7: "Attending Doctor:XCN",
        8: "Referring Doctor:XCN",
        9: "Consulting Doctor:XCN",
        10: "Hospital Service",
        17: "Admitting Doctor:XCN",
        18: "Patient Type",
        19: "Visit Number:CX",
        44: "Admit Date/Time",
        45: "Discharge Date/Time",
        50: "Alternate Visit ID:CX",
        51: "Visit Indicator",
    },
    "ORC": {
        1: "Order Control",
        2: "Placer Order Number:EI",
        3: "Filler Order Number:EI",
        4: "Placer Group Number:EI",
        5: "Order Status",
        9: "Date/Time of Transaction",
        10: "Entered By:XCN",
        12: "Ordering Provider:XCN",
        15: "Order Effective Date/Time",
        16: "Order Control Code Reason:CE",
        17: "Entering Organization:CE",
        21: "Ordering Facility Name:XON",
    },
    "OBR": {
        1: "Set ID - OBR",
        2: "Placer Order Number:EI",
        3: "Filler Order Number:EI",
        4: "Universal Service Identifier:CE",
        7: "Observation Date/Time",
        8: "Observation End Date/Time",
        13: "Relevant Clinical Information",
        16: "Ordering Provider:XCN",
        18: "Placer Field 1",
        19: "Placer Field 2",
        20: "Filler Field 1",
        21: "Filler Field 2",
        22: "Results Rpt/Status Chng - Date/Time",
        24: "Diagnostic Serv Sect ID",
        25: "Result Status",
        31: "Reason for Study:CE",
        32: "Principal Result Interpreter:NDL",
        44: "Procedure Code:CE",
    },
    "TQ1": {
        1: "Set ID - TQ1",
        6: "Service Duration",
        7: "Start Date/Time",
        8: "End Date/Time",
        9: "Priority:CE",
    },
    "TXA": {
        1: "Set ID - TXA",
        2: "Document Type",
        3: "Document Content Presentation",
        4: "Activity Date/Time",
        5: "Primary Activity Provider Code/Name:XCN",
        6: "Origination Date/Time",
        9: "Originator Code/Name:XCN",
        12: "Unique Document Number:EI",
        13: "Parent Document Number:EI",
        14: "Placer Order Number:EI",
        15: "Filler Order Number:EI",
        16: "Unique Document File Name",
        17: "Document Completion Status",
        18: "Document Confidentiality Status",
        19: "Document Availability Status",
        22: "Authentication Person, Time Stamp:XCN",
    },
    "OBX": {
        1: "Set ID - OBX",
        2: "Value Type",
        3: "Observation Identifier:CE",
        4: "Observation Sub-ID",
        5: "Observation Value",
        6: "Units:CE",
        7: "References Range",
        8: "Abnormal Flags",
        11: "Observation Result Status",
        14: "Date/Time of the Observation",
        15: "Producer's ID:CE",
        16: "Responsible Observer:XCN",
        19: "Date/Time of the Analysis",
    },
    "PRT": {
        1: "Participation Instance ID:EI",
        2: "Action Code",
        3: "Action Reason:CE",
        4: "Role of Participation:CE",
        5: "Person:XCN",
        6: "Person Provider Type:CE",
        7: "Participant Organization Unit Type:CE",
        8: "Participation Organization:XON",
        9: "Participant Location:PL",
        10: "Participation Device:EI",
        11: "Participation Begin Date/Time",
        12: "Participation End Date/Time",
        13: "Participation Qualitative Duration:CE",
        14: "Participation Address:XAD",
        15: "Participant Telecommunication Address:XTN",
    },
    "NTE": {
        1: "Set ID - NTE",
        2: "Source of Comment",
        3: "Comment",
        4: "Comment Type:CE",
    },
    "IPC": {
        1: "Accession Identifier:EI",
        2: "Requested Procedure ID:EI",
        3: "Study Instance UID:EI",
        4: "Scheduled Procedure Step ID:EI",
        5: "Modality:CE",
        6: "Protocol Code:CE",
        7: "Scheduled Station Name:EI",
        8: "Scheduled Procedure Step Location:CE",
        9: "Scheduled AE Title",
    },
    "MSA": {
        1: "Acknowledgment Code",
        2: "Message Control ID",
        3: "Text Message",
        4: "Expected Sequence Number",
        6: "Error Condition:CE",
    },
    "ERR": {
        1: "Error Code and Location",
        2: "Error Location:ERL",
        3: "HL7 Error Code:CE",
        4: "Severity",
        5: "Application Error Code:CE",
        6: "Application Error Parameter",
        7: "Diagnostic Information",
        8: "User Message",
        12: "Help Desk Contact Point:XTN",
    },
}

FIELDS: Final[dict[str, dict[int, str]]] = {
    segment: {number: text.partition(":")[0] for number, text in fields.items()}
    for segment, fields in _FIELDS.items()
}
"""Segment -> field number -> name."""

_TYPES: Final[dict[str, dict[int, str]]] = {
    segment: {number: kind for number, text in fields.items() if (kind := text.partition(":")[2])}
    for segment, fields in _FIELDS.items()
}

COMPONENTS: Final[dict[str, tuple[str, ...]]] = {
    "CE": ("Identifier", "Text", "Name of Coding System", "Alternate Identifier",
           "Alternate Text", "Name of Alternate Coding System"),
    "CX": ("ID Number", "Check Digit", "Check Digit Scheme", "Assigning Authority",
           "Identifier Type Code", "Assigning Facility", "Effective Date", "Expiration Date"),
    "ED": ("Source Application", "Type of Data", "Data Subtype", "Encoding", "Data"),
    "EI": ("Entity Identifier", "Namespace ID", "Universal ID", "Universal ID Type"),
    "ERL": ("Segment ID", "Segment Sequence", "Field Position", "Field Repetition",
            "Component Number", "Sub-Component Number"),
    "HD": ("Namespace ID", "Universal ID", "Universal ID Type"),
    "MSG": ("Message Code", "Trigger Event", "Message Structure"),
    "NDL": ("Name", "Start Date/Time", "End Date/Time", "Point of Care", "Room", "Bed",
            "Facility"),
    "PL": ("Point of Care", "Room", "Bed", "Facility", "Location Status",
           "Person Location Type"),
    "VID": ("Version ID", "Internationalization Code", "International Version ID"),
    "XAD": ("Street Address", "Other Designation", "City", "State or Province",
            "Zip or Postal Code", "Country", "Address Type", "Other Geographic Designation",
            "County/Parish Code"),
    "XCN": ("ID Number", "Family Name", "Given Name", "Second and Further Given Names",
            "Suffix", "Prefix", "Degree", "Source Table", "Assigning Authority",
            "Name Type Code", "Identifier Check Digit", "Check Digit Scheme",
            "Identifier Type Code", "Assigning Facility"),
    "XON": ("Organization Name", "Organization Name Type Code", "ID Number", "Check Digit",
            "Check Digit Scheme", "Assigning Authority", "Identifier Type Code",
            "Assigning Facility", "Name Representation Code", "Organization Identifier"),
    "XPN": ("Family Name", "Given Name", "Second and Further Given Names", "Suffix", "Prefix",
            "Degree", "Name Type Code", "Name Representation Code"),
    "XTN": ("Telephone Number", "Telecommunication Use Code",
            "Telecommunication Equipment Type", "Email Address"),
}  # fmt: skip
"""Data type -> names of its components, in order."""

_OBX_5_TYPES: Final[dict[str, str]] = {"CWE": "CE", "TX": "", "ST": ""}


def segment_name(segment: str) -> str:
    """The name of a segment, "" when it is not one of ours."""
    return SEGMENTS.get(segment, "")


def field_name(segment: str, field: int) -> str:
    """The name of a field, "" when unknown."""
    return FIELDS.get(segment, {}).get(field, "")


def component_name(segment: str, field: int, component: int, *, value_type: str = "") -> str:
    """The name of a component, "" when unknown. `value_type` is OBX-2, which types OBX-5."""
    if segment == "OBX" and field == 5:
        kind = _OBX_5_TYPES.get(value_type, value_type)
    else:
        kind = _TYPES.get(segment, {}).get(field, "")
    names = COMPONENTS.get(kind, ())
    return names[component - 1] if 1 <= component <= len(names) else ""
