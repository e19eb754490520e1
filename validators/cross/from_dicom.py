"""What manifests and images say of an exam."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from urllib.parse import urlsplit

from protocols.dicomweb import parse_path
from protocols.errors import RemoteProtocolError
from spec.imaging_metadata import MODALITIES
from spec.oids import INS_AUTHORITIES
from validators.cross.fact import Facts, Speaker, Subject, Voice
from validators.cross.forms import (
    ABSENT,
    day,
    fold,
    gender,
    institution_id,
    moment,
    used_name,
)
from validators.dicom_tree import DataSet, File
from validators.kos.reading import Kos

__all__ = ["document", "image", "image_request", "manifest", "patient"]

_SERIES_LINE = re.compile(r"S[ée]rie-(?P<series>[\d.]+) : (?P<modality>\w*) @ ?(?P<region>\S*)")
"""A line of the Key Object Description (DRIM-M_DATA KOS samples)."""
_BIRTH_PLACE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_DESCRIPTION = "113012"


def manifest(kos: Kos, data: bytes, name: str) -> Facts:
    """What a KOS says: in its header and requests, its evidence, its content, its addresses."""
    said, root = Speaker(Voice.MANIFEST, name), kos.root
    yield said.says(Subject.MANIFEST_UID, kos.sop_instance, "0008,0018")
    yield from document(said, data, kos.sop_instance)
    yield from _ins(said, root)
    yield from _traits(said, root)
    yield from _other_names(said, root)
    place = root.text(0x00104000)
    if _BIRTH_PLACE.fullmatch(place):
        yield said.says(Subject.BIRTH_PLACE, place, "0010,4000")
    yield said.says(Subject.SITE, institution_id(root.text(0x00080080)), "0008,0080")
    created = f"{root.text(0x00080012)}{root.text(0x00080013)[:6]}{root.text(0x00080201)}"
    yield said.says(Subject.CREATION, moment(created), "0008,0012", kos.sop_instance)
    yield said.says(Subject.STUDY, kos.study, "0020,000D")
    for request in kos.requests:
        yield from image_request(said, request)
    yield from _evidence(said, kos)
    yield from _content(name, said, kos)
    yield from _addresses(name, kos)


def image(file: File, name: str, voice: Voice = Voice.IMAGE, path: str = "") -> Facts:
    """What the header of one image says."""
    said, root = Speaker(voice, name), file.data
    uid = root.text(0x00080018)
    study, series = root.text(0x0020000D), root.text(0x0020000E)
    yield said.says(Subject.INSTANCE, uid, f"{path}0008,0018")
    yield said.says(Subject.PLACE, f"{study} / {series}", f"{path}0020,000E", uid)
    yield said.says(Subject.SOP_CLASS, root.text(0x00080016), f"{path}0008,0016", uid)
    yield said.says(Subject.STUDY, study, f"{path}0020,000D")
    modality = root.text(0x00080060)
    if modality in MODALITIES:
        yield said.says(Subject.MODALITY, modality, f"{path}0008,0060", study)
    yield from patient(said, root, path)
    yield from image_request(said, root, path)


def patient(said: Speaker, root: DataSet, path: str = "") -> Facts:
    """Whose an image, or what a PACS tells of one, is: INS, traits, local identifier."""
    yield from _ins(said, root, path)
    yield from _traits(said, root, path)
    if not INS_AUTHORITIES.keys() & set(_authorities(root)):
        yield said.says(Subject.IPP, root.text(0x00100020), path + root.where(0x00100020))


def document(said: Speaker, data: bytes, uid: str) -> Facts:
    """What can be measured of a document, to compare with what metadata and signature say."""
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    yield said.says(Subject.HASH, sha1, "octets", uid)
    yield said.says(Subject.SIZE, str(len(data)), "octets", uid)
    yield said.says(Subject.DIGEST, sha1, "octets", uid)
    yield said.says(Subject.DIGEST, hashlib.sha256(data).hexdigest(), "octets", uid)


def _authorities(item: DataSet) -> list[str]:
    """The authorities of a PatientID, from its qualifiers."""
    return [one.text(0x00400032) for one in item.items(0x00100024)]


def _ins(said: Speaker, root: DataSet, path: str = "") -> Facts:
    for item in (root, *root.items(0x00101002)):
        value = item.text(0x00100020)
        for oid in _authorities(item):
            if oid in INS_AUTHORITIES:
                where = path + item.where(0x00100020)
                yield said.says(Subject.INS, value, where)
                yield said.says(Subject.INS_AUTHORITY, oid, where, value)


def _name(value: str) -> tuple[str, str]:
    """Family and given name of the alphabetic group of a PN."""
    components = [*value.partition("=")[0].split("^"), "", ""]
    return components[0], components[1]


def _traits(said: Speaker, root: DataSet, path: str = "") -> Facts:
    family, given = _name(root.text(0x00100010))
    name = path + root.where(0x00100010)
    yield said.says(Subject.BIRTH_FAMILY, fold(family), name)
    yield said.says(Subject.BIRTH_GIVEN, fold(given), name)
    yield said.says(Subject.BIRTH_DATE, day(root.text(0x00100030)), path + root.where(0x00100030))
    yield said.says(Subject.SEX, gender(root.text(0x00100040)), path + root.where(0x00100040))


def _other_names(said: Speaker, root: DataSet) -> Facts:
    """OtherPatientNames: `^birth given names`, then `used family^used given` when there is one.

    The four variants of the ANS cross-validator: no used name, a family name, a given name, both.
    A first value with a family name is a used name already: older manifests have no other.
    """
    names = [_name(value) for value in root.values(0x00101001)]
    if names and not names[0][0]:
        yield said.says(Subject.BIRTH_GIVENS, fold(names[0][1]), "0010,1001[1]")
        names = names[1:]
    used = used_name(*names[0]) if names else ABSENT
    yield said.says(Subject.USED_NAME, used, "0010,1001")


def image_request(said: Speaker, item: DataSet, path: str = "") -> Facts:
    """Accession and order of a request item, or of an image's root."""
    accession, order = item.text(0x00080050), item.text(0x00402016)
    yield said.says(Subject.ACCESSION, accession, path + item.where(0x00080050))
    for issuer in item.items(0x00080051):
        where = path + issuer.where(0x00400032)
        yield said.says(Subject.ACCESSION_ISSUER, issuer.text(0x00400032), where, accession)
    yield said.says(Subject.ORDER, order, path + item.where(0x00402016))
    for issuer in item.items(0x00400026):
        where = path + issuer.where(0x00400032)
        yield said.says(Subject.ORDER_ISSUER, issuer.text(0x00400032), where, order)


def _evidence(said: Speaker, kos: Kos) -> Facts:
    for study, series in kos.series:
        yield said.says(Subject.STUDY, study, "0040,A375")
        yield said.says(Subject.SERIES, series.text(0x0020000E), series.where(0x0020000E))
    for one in kos.references():
        yield said.says(Subject.INSTANCE, one.instance, one.where)
        yield said.says(Subject.CONTENT, one.instance, one.where, said.file)
        yield said.says(Subject.PLACE, f"{one.study} / {one.series}", one.where, one.instance)
        yield said.says(Subject.SOP_CLASS, one.sop_class, one.where, one.instance)
    yield from _evidence_counts(said, kos)


def _evidence_counts(said: Speaker, kos: Kos) -> Facts:
    """How many series and instances the evidence lists of each study, how many of each series."""
    listed = {(one.study, one.series, one.instance) for one in kos.references()}
    for of in (0, 1):
        for uid, count in Counter(one[of] for one in listed).items():
            yield said.says(Subject.INSTANCE_COUNT, str(count), "0040,A375", uid)
    for study, count in Counter(study for study, _ in {one[:2] for one in listed}).items():
        yield said.says(Subject.SERIES_COUNT, str(count), "0040,A375", study)


def _content(name: str, said: Speaker, kos: Kos) -> Facts:
    content = Speaker(Voice.CONTENT, name)
    for _, reference in kos.content():
        uid = reference.text(0x00081155)
        # About its own file: another manifest must not lend it its content.
        yield content.says(Subject.CONTENT, uid, reference.where(0x00081155), name)
        yield content.says(Subject.INSTANCE, uid, reference.where(0x00081155))
        sop_class = reference.text(0x00081150)
        yield content.says(Subject.SOP_CLASS, sop_class, reference.where(0x00081150), uid)
    for item in kos.root.items(0x0040A730):
        if _DESCRIPTION not in [one.text(0x00080100) for one in item.items(0x0040A043)]:
            continue
        for line in _SERIES_LINE.finditer(item.text(0x0040A160)):
            if line["modality"] in MODALITIES:
                where = item.where(0x0040A160)
                yield said.says(Subject.MODALITY, line["modality"], where, kos.study)


def _addresses(name: str, kos: Kos) -> Facts:
    address = Speaker(Voice.ADDRESS, name)
    for _, series in kos.series:
        where = series.where(0x00081190)
        try:
            url = urlsplit(series.text(0x00081190))
            resource = parse_path(url.path)
        except (ValueError, RemoteProtocolError):
            continue
        yield address.says(Subject.HOST, url.netloc.lower(), where)
        yield address.says(Subject.STUDY, resource.study, where)
        yield address.says(Subject.SERIES, resource.series, where)
