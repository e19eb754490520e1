"""One KOS of the archive as a folder of an XDM archive, and back.

Réf.: DRIM-M_DATA "informatif/XDM" and the ANS demonstrator's export, grade: sample: folder
`KA<yyyy><mm>`, `METADATA.XML`, `KOS_1_1.DCM`, `SIGN_1.XML`, `CR.TXT`, slot URI, and an external
identifier of scheme `1.2.3` for the DMP's entryUUID; DB.SO.29, DB.SO.30, grade: draft. What no
public text settles is done so, grade: inferred: the state of a KOS is the `status` of its entry,
and a KOS of several reports has a line of CR.TXT for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lxml import etree

from drimbox_ref.source.values import ArchiveEntry, EntryState, Follow, Ins
from protocols import kos, xml
from protocols.ebrim import DocumentEntry, Submission, SubmissionSet, parse_submit
from protocols.ebrim.write import slot_element
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX, XCN, XON
from protocols.kos import Manifest
from protocols.xml import NS
from protocols.xmlsig import SignatureError, verify_lot
from spec.dmp import KOS_TYPE_CODE
from spec.xds import Status

__all__ = ["CR", "METADATA", "LotError", "files_of", "month_of", "read_lot", "submitted_at"]

METADATA, CR = "METADATA.XML", "CR.TXT"
_KOS, _SIGNATURE = "KOS_1_1.DCM", "SIGN_1.XML"
_ENTRY_UUID, _ENTRY_UUID_SCHEME = "XDSDocumentEntry.EntryUUID", "1.2.3"
"""As the sample writes it: the standard has no scheme for an entryUUID."""
_RIM, _LCM = f"{{{NS['rim']}}}", f"{{{NS['lcm']}}}"
_CR_FIELDS = 6

_STATUSES = {
    EntryState.PUBLISHED: Status.APPROVED,
    EntryState.REPLACED: Status.DEPRECATED,
    EntryState.DEPUBLISHED: Status.DELETED,
}
_STATES = {status.value: state for state, status in _STATUSES.items()}


class LotError(Exception):
    """A folder that is not a KOS to keep; its text says why, in French."""


def month_of(entry: ArchiveEntry) -> str:
    """`yyyymm` of the KOS's making, as the demonstrator names folders."""
    try:
        date = kos.decode(entry.kos).instance_creation_date or ""
    except RemoteProtocolError:
        date = ""
    return date[:6] if len(date) == 8 and date.isdigit() else f"{entry.updated:%Y%m}"


# Writing -----------------------------------------------------------------------------------------


def files_of(entry: ArchiveEntry, folder: str) -> dict[str, bytes]:
    """The files of a KOS by name; `folder` is that of the lot, as its URIs name it.

    Raises:
        LotError: the archived metadata cannot be read.
    """
    try:
        root = xml.parse(entry.metadata)
        described = parse_submit(_request(root))
        uris = _describe(root, described, entry, folder)
    except RemoteProtocolError as error:
        raise LotError(f"métadonnées archivées illisibles : {error}") from error
    files = {METADATA: xml.serialize(root), _KOS: entry.kos}
    if _SIGNATURE in uris:
        files[_SIGNATURE] = entry.signature
    local = CX.parse(_kos_entry(described).source_patient_id)
    patient = (entry.ins.value, entry.ins.oid, entry.ipp, _oid(local))
    lines = [";".join((*_report_fields(report), *patient)) for report in entry.reports]
    files[CR] = "".join(f"{line}\r\n" for line in lines).encode()
    return files


def _describe(
    root: etree._Element, described: Submission, entry: ArchiveEntry, folder: str
) -> set[str]:
    """Add URIs, the entryUUID and the state to the registry objects; the files that they name."""
    manifest = _kos_entry(described)
    named = set()
    for element in list(root.iter(f"{_RIM}ExtrinsicObject")):
        own = element.get("id") == manifest.id
        if not own and not entry.signature:
            continue
        name = _KOS if own else _SIGNATURE
        named.add(name)
        _add_uri(element, f"{folder}/{name}")
        if own:
            element.set("status", _STATUSES[entry.state].value)
            if entry.entry_uuid:
                _add_entry_uuid(element, entry.entry_uuid)
    return named


def _add_uri(element: etree._Element, uri: str) -> None:
    """A slot among the slots: they come first in the schema's order."""
    slot_element(element, "URI", (uri,))
    slot = element[-1]
    slots = element.findall(f"{_RIM}Slot")
    if len(slots) > 1:
        slots[-2].addnext(slot)
    else:
        element.insert(0, slot)


def _add_entry_uuid(element: etree._Element, entry_uuid: str) -> None:
    holder = etree.SubElement(
        element,
        f"{_RIM}ExternalIdentifier",
        {
            "id": "entryUUID01",
            "registryObject": element.get("id", ""),
            "identificationScheme": _ENTRY_UUID_SCHEME,
            "value": entry_uuid,
        },
    )
    name = etree.SubElement(holder, f"{_RIM}Name")
    etree.SubElement(name, f"{_RIM}LocalizedString", {"value": _ENTRY_UUID})


def _report_fields(report: str) -> tuple[str, str]:
    root, _, extension = report.partition("^")
    return root, extension


# Reading -----------------------------------------------------------------------------------------


def submitted_at(metadata: bytes) -> str:
    """submissionTime of a METADATA.XML: the order in which lots are taken.

    Raises:
        LotError: it cannot be read.
    """
    try:
        return parse_submit(_request(xml.parse(metadata))).submission_set.submission_time
    except RemoteProtocolError as error:
        raise LotError(f"{METADATA} illisible : {error}") from error


def read_lot(files: Mapping[str, bytes], *, pacs_of: Callable[[str], str]) -> ArchiveEntry:
    """The archive entry of a lot; `files` are those of its folder, by their last name.

    `pacs_of` says which PACS serves an accession authority. Hashes, sizes and the lot's signature
    are verified, and the patient is the same everywhere.

    Raises:
        LotError: something is missing or does not agree.
    """
    if METADATA not in files:
        raise LotError(f"{METADATA} manque")
    try:
        return _read(files, pacs_of)
    except SignatureError as error:
        raise LotError(f"signature du lot : {error}") from error
    except RemoteProtocolError as error:
        raise LotError(str(error)) from error


def _read(files: Mapping[str, bytes], pacs_of: Callable[[str], str]) -> ArchiveEntry:
    """As `read_lot`, which also raises RemoteProtocolError."""
    root = xml.parse(files[METADATA])
    described = parse_submit(_request(root))
    lot, entry = described.submission_set, _kos_entry(described)
    data = _document(entry, files)
    manifest = kos.decode(data)
    signature = _verified_signature(described, lot, entry, data, files)
    _same(manifest.sop_instance or "", entry.unique_id, "SOP Instance UID du KOS")
    patient = CX.parse(entry.patient_id)
    _same(manifest.patient_id or "", patient.id, "patient du KOS")
    entry_uuid, state = _taken_out(root, entry.id)
    follow = _follow(lot, entry, patient)
    return ArchiveEntry(
        kos_uid=entry.unique_id,
        study_uid=manifest.study_uid or "",
        set_uid=lot.unique_id,
        entry_uuid=entry_uuid,
        state=state,
        version=_version(manifest),
        fingerprint="",
        ins=follow.ins,
        ipp=CX.parse(entry.source_patient_id).id if entry.source_patient_id else "",
        pacs=pacs_of(_accession_issuer(manifest)),
        series={
            one.series_uid: tuple(reference.sop_instance for reference in one.instances)
            for one in manifest.series()
            if one.series_uid
        },
        kos=data,
        metadata=xml.serialize(_request(root)),
        signature=signature,
        reports=_reports(files.get(CR, b""), patient.id),
        follow=follow,
        updated=_moment(lot.submission_time),
    )


def _request(root: etree._Element) -> etree._Element:
    """The SubmitObjectsRequest of a METADATA.XML; samples wrap it in the whole SOAP envelope."""
    name = f"{_LCM}SubmitObjectsRequest"
    found = root if root.tag == name else next(root.iter(name), None)
    if found is None:
        raise LotError("SubmitObjectsRequest absent")
    return found


def _kos_entry(described: Submission) -> DocumentEntry:
    found = [
        one
        for one in described.entries
        if one.type_code is not None and one.type_code.code == KOS_TYPE_CODE[0]
    ]
    if len(found) != 1:
        raise LotError(f"{len(found)} KOS dans le lot ; attendu : 1")
    return found[0]


def _document(entry: DocumentEntry, files: Mapping[str, bytes]) -> bytes:
    """The file that an entry's URI names, with the size and the SHA-1 that it tells."""
    name = entry.uri[0].rpartition("/")[2] if entry.uri else ""
    if name not in files:
        raise LotError(f"URI {entry.uri[0] if entry.uri else 'absente'} : fichier absent du lot")
    data = files[name]
    if entry.size:
        _same(str(len(data)), entry.size, f"taille de {name}")
    if entry.hash:
        found = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        _same(found, entry.hash.lower(), f"empreinte de {name}")
    return data


def _verified_signature(
    described: Submission,
    lot: SubmissionSet,
    entry: DocumentEntry,
    data: bytes,
    files: Mapping[str, bytes],
) -> bytes:
    """The lot's signature, verified over its only document; empty when the lot has none."""
    others = [one for one in described.entries if one.id != entry.id]
    if not others:
        return b""
    signature = _document(others[0], files)
    verified = verify_lot(signature, {entry.unique_id: data})
    _same(verified.submission_set_uid, lot.unique_id, "lot signé")
    return signature


def _taken_out(root: etree._Element, kos_id: str) -> tuple[str, EntryState]:
    """The entryUUID and the state, taken out of the metadata with what else the export put in."""
    entry_uuid, state = "", EntryState.PUBLISHED
    for element in root.iter(f"{_RIM}ExtrinsicObject"):
        for slot in element.findall(f"{_RIM}Slot"):
            if slot.get("name") == "URI":
                element.remove(slot)
        for holder in element.findall(f"{_RIM}ExternalIdentifier"):
            if holder.get("identificationScheme") == _ENTRY_UUID_SCHEME:
                entry_uuid = holder.get("value", "")
                element.remove(holder)
        status = str(element.attrib.pop("status", ""))
        if element.get("id") == kos_id and status:
            if status not in _STATES:
                raise LotError(f"état inconnu : {status}")
            state = _STATES[status]
    if entry_uuid and not entry_uuid.startswith("urn:uuid:"):
        # The sample leaves the prefix out.
        entry_uuid = f"urn:uuid:{entry_uuid}"
    return entry_uuid, state


def _follow(lot: SubmissionSet, entry: DocumentEntry, patient: CX) -> Follow:
    """On whose behalf the lot was published: what the next transaction's VIHF will say."""
    author = lot.authors[0] if lot.authors else None
    institution = author.institutions[0] if author and author.institutions else ""
    if not institution:
        raise LotError("auteur du lot sans structure (authorInstitution)")
    person = XCN.parse(entry.legal_authenticator or (author.person if author else ""))
    code, label = "", ""
    if author and author.specialties:
        code, label = (*author.specialties[0].split("^"), "")[:2]
    profession, _, specialty = code.removeprefix("G15_").partition("/")
    facility = entry.facility_type
    return Follow(
        ins=Ins(value=patient.id, oid=_oid(patient)),
        structure=XON.parse(institution).id,
        sector=f"{facility.code}^{facility.scheme}" if facility else "",
        professional=person.id,
        family=person.family,
        given=person.given,
        profession=profession,
        specialty=specialty,
        specialty_label=label,
    )


def _reports(data: bytes, patient: str) -> tuple[str, ...]:
    """The ids of CR.TXT, one line for each report.

    Raises:
        LotError: a line is not six fields, or names another patient.
    """
    found = []
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split(";")]
        if len(fields) != _CR_FIELDS:
            raise LotError(f"{CR} : {len(fields)} champ(s) ; attendu : {_CR_FIELDS}")
        _same(fields[2], patient, f"patient de {CR}")
        found.append("^".join(fields[:2]) if fields[1] else fields[0])
    return tuple(found)


def _accession_issuer(manifest: Manifest) -> str:
    for request in manifest.requests or ():
        for issuer in request.accession_issuer or ():
            return issuer.universal_id or ""
    return ""


def _version(manifest: Manifest) -> int:
    number = manifest.instance_number or ""
    return int(number) if number.isdigit() and len(number) < 10 else 1


def _moment(written: str) -> datetime:
    """An XDS time (`YYYYMMDDhhmmss`, UTC).

    Raises:
        LotError: it is not one.
    """
    digits = written[:14]
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise LotError(f"submissionTime illisible : {written!r}") from None


def _oid(identifier: CX) -> str:
    return identifier.authority.universal_id if identifier.authority else ""


def _same(found: str, expected: str, what: str) -> None:
    if found != expected:
        raise LotError(f"{what} : attendu {expected!r}, trouvé {found!r}")
