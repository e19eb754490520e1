"""ORU^R01 and its CDA: segments split by hand, the document read with ElementTree."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

NS = {"h": "urn:hl7-org:v3", "d": "urn:dicom-org:ps3-20"}
INS = "1.2.250.1.213.1.4."
IDENTITIES = {"1.2.250.1.213.1.4.10": "ASIP-SANTE-INS-NIR", "1.2.250.1.213.1.4.8": "INS-C"}


class Refused(Exception):
    """The message is not to be taken; the text says why."""


@dataclass(frozen=True)
class Exam:
    """One documented act that names a study."""

    study: str
    act: tuple[str, str]
    modality: tuple[str, str]
    regions: tuple[tuple[str, str], ...]
    begin: str
    end: str
    placer: tuple[str, str]
    accession: tuple[str, str]


@dataclass(frozen=True)
class Report:
    """What is needed to publish."""

    control_id: str
    qualified: bool
    ins: tuple[str, str]
    ipp: tuple[str, str]
    family: str
    given: str
    givens: str
    birth_date: str
    sex: str
    birthplace: str
    physician: tuple[str, str, str]
    """National id, family name, given name."""
    specialty: tuple[str, str]
    structure: tuple[str, str]
    """Struct_IdNat, name."""
    facility: tuple[str, str]
    practice: tuple[str, str]
    accessions: tuple[tuple[str, str], ...]
    exams: tuple[Exam, ...]


def segments(message: str) -> dict[str, list[list[str]]]:
    """Name -> each occurrence's fields, field n at index n (MSH-1 is the separator)."""
    found: dict[str, list[list[str]]] = {}
    for line in message.strip("\r\n").split("\r"):
        fields = line.split("|")
        if fields[0] == "MSH":
            fields.insert(1, "|")
        found.setdefault(fields[0], []).append(fields)
    return found


def read(message: str) -> Report:
    """Read a message.

    Raises:
        Refused: incoherent, or without what publishing needs.
    """
    found = segments(message)
    try:
        pid, obx, orc = found["PID"][0], found["OBX"][0], found["ORC"][0]
        if (orc[1] == "CA") != (obx[11] == "D"):
            raise Refused(f"ORC-1 {orc[1]} ne va pas avec OBX-11 {obx[11]}")
        document = ElementTree.fromstring(base64.b64decode(obx[5].split("^")[4]))
        identifiers = {
            one.split("^")[4]: (one.split("^")[0], one.split("^")[3].split("&")[1])
            for one in pid[3].split("~")
        }
        return _of(found["MSH"][0][10], "VALI" in pid[32].split("~"), identifiers, document)
    except (KeyError, IndexError, ValueError, AttributeError, ElementTree.ParseError) as error:
        raise Refused(f"message illisible : {error}") from error


def _of(
    control: str, qualified: bool, ids: dict[str, tuple[str, str]], cda: ElementTree.Element
) -> Report:
    patient = cda.find("h:recordTarget/h:patientRole/h:patient", NS)
    signer = cda.find("h:legalAuthenticator/h:assignedEntity", NS)
    assert patient is not None
    assert signer is not None
    givens = patient.findall("h:name/h:given", NS)
    organisation = "h:representedOrganization/h:"
    orders = cda.findall("h:inFulfillmentOf/h:order", NS)
    events = [
        one
        for one in cda.findall("h:documentationOf/h:serviceEvent", NS)
        if one.find("h:id", NS) is not None
    ]
    return Report(
        control_id=control,
        qualified=qualified,
        ins=ids["INS"],
        ipp=ids["PI"],
        family=_text(patient, "h:name/h:family[@qualifier='BR']"),
        given=_text(patient, "h:name/h:given[@qualifier='BR']"),
        givens=next(one.text or "" for one in givens if "qualifier" not in one.attrib),
        birth_date=_attribute(patient, "h:birthTime", "value"),
        sex=_attribute(patient, "h:administrativeGenderCode", "code"),
        birthplace=_text(patient, "h:birthplace/h:place/h:addr/h:county"),
        physician=(
            _attribute(signer, "h:id", "extension"),
            _text(signer, "h:assignedPerson/h:name/h:family"),
            _text(signer, "h:assignedPerson/h:name/h:given"),
        ),
        specialty=_coded(signer, "h:code"),
        structure=(
            _attribute(signer, organisation + "id", "extension"),
            _text(signer, organisation + "name"),
        ),
        facility=_coded(
            cda, "h:componentOf/h:encompassingEncounter/h:location/h:healthCareFacility/h:code"
        ),
        practice=_coded(signer, organisation + "standardIndustryClassCode"),
        accessions=tuple(_id(order, "d:accessionNumber") for order in orders),
        exams=tuple(
            _exam(event, orders[min(rank, len(orders) - 1)]) for rank, event in enumerate(events)
        ),
    )


def _exam(event: ElementTree.Element, order: ElementTree.Element) -> Exam:
    translated: dict[str, list[tuple[str, str]]] = {}
    for one in event.findall("h:code/h:translation", NS):
        kind = _attribute(one, "h:qualifier/h:name", "code")
        translated.setdefault(kind, []).append((one.get("code", ""), one.get("displayName", "")))
    return Exam(
        study=_attribute(event, "h:id", "root"),
        act=_coded(event, "h:code"),
        modality=translated["121139"][0],
        regions=tuple(translated.get("39111-0", ())),
        begin=_utc(_attribute(event, "h:effectiveTime/h:low", "value")),
        end=_utc(_attribute(event, "h:effectiveTime/h:high", "value")),
        placer=_id(order, "h:id"),
        accession=_id(order, "d:accessionNumber"),
    )


def _text(node: ElementTree.Element, path: str) -> str:
    return node.findtext(path, "", NS).strip()


def _attribute(node: ElementTree.Element, path: str, name: str) -> str:
    found = node.find(path, NS)
    return "" if found is None else found.get(name, "")


def _coded(node: ElementTree.Element, path: str) -> tuple[str, str]:
    return _attribute(node, path, "code"), _attribute(node, path, "displayName")


def _id(node: ElementTree.Element, path: str) -> tuple[str, str]:
    return _attribute(node, path, "extension"), _attribute(node, path, "root")


def _utc(text: str) -> str:
    read = datetime.strptime(text, "%Y%m%d%H%M%S%z")
    return f"{read.astimezone(UTC):%Y%m%d%H%M%S}"
