"""Example METADATA.XML and archives: those of the ITI-41 example, whatever was spoiled in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from protocols import xml
from protocols.xml import NS
from spec.oids import INS_NIR_TEST
from validators import package
from validators.examples import kos as manifest
from validators.examples import xds
from validators.examples.dmp import add_slot
from validators.examples.xds import Tamper
from validators.zip_archive import pack

__all__ = ["FOLDER", "archive", "archive_of", "metadata", "metadata_of", "twice"]

FOLDER = "KA202611/IHE_XDM/SS000001"
_RIM = f"{{{NS['rim']}}}"
_LCM = f"{{{NS['lcm']}}}"
_NAMES = {xds.KOS_ID: "KOS_1_1.DCM", xds.SIGNATURE_ID: "SIGN_1.XML"}
_UUID = "0b7d3a52-4c1e-4f0c-9d55-3f0a2b9c0001"
_REPORT = f"1.2.250.1.999.1.1.8121.2;CR900;{manifest.INS};{INS_NIR_TEST};IPP900;1.2.250.1.999.1.1"
_PAGE = (
    b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Export</title></head><body/></html>'
)


def metadata(tamper: Tamper | None = None, *, enveloped: bool = False) -> bytes:
    """The metadata of a published lot, spoiled."""
    return metadata_of(xds.iti41(), tamper, enveloped=enveloped)


def metadata_of(message: bytes, tamper: Tamper | None = None, *, enveloped: bool = False) -> bytes:
    """The METADATA.XML that a publication would leave: its request, or its whole envelope."""
    root = package.read(message).root
    for entry in root.iter(f"{_RIM}ExtrinsicObject"):
        name = _NAMES.get(entry.get("id", ""), "AUTRE.BIN")
        add_slot(entry, "URI", f"SS000001/{name}")
        if entry.get("mimeType") == "application/dicom":
            _carry_entry_uuid(entry)
    request = next(root.iter(f"{_LCM}SubmitObjectsRequest"))
    target = root if enveloped else request
    if tamper is not None:
        tamper(target)
    return xml.serialize(target)


def _carry_entry_uuid(entry: etree._Element) -> None:
    holder = etree.SubElement(
        entry,
        f"{_RIM}ExternalIdentifier",
        {
            "id": "entry-uuid",
            "registryObject": entry.get("id", ""),
            "identificationScheme": "1.2.3",
            "value": _UUID,
        },
    )
    name = etree.SubElement(holder, f"{_RIM}Name")
    etree.SubElement(name, f"{_RIM}LocalizedString", {"value": "XDSDocumentEntry.EntryUUID"})


def archive(
    changes: Mapping[str, bytes | None] | None = None, *, rename: Callable[[str], str] = str
) -> bytes:
    """The archive of one lot, some files replaced, added, or left out when None."""
    files: dict[str, bytes | None] = {**_files(xds.iti41()), **(changes or {})}
    return pack({rename(name): data for name, data in files.items() if data is not None})


def archive_of(message: bytes) -> bytes:
    """The archive that a publication would leave."""
    return pack(_files(message))


def twice() -> bytes:
    """An archive that keeps the same lot in two folders."""
    files = _files(xds.iti41())
    again = {
        name.replace("SS000001", "SS000002"): data.replace(b"SS000001", b"SS000002")
        for name, data in files.items()
        if "SS000001" in name
    }
    return pack(files | again)


def _files(message: bytes) -> dict[str, bytes]:
    found = package.read(message)
    documents = {
        "KOS_1_1.DCM": found.part("kos@exemple"),
        "SIGN_1.XML": found.part("signature@exemple"),
    }
    return {
        "KA202611/INDEX.HTM": _PAGE,
        "KA202611/README.TXT": b"Emetteur : CENTRE EXEMPLE\r\n",
        f"{FOLDER}/METADATA.XML": metadata_of(message),
        f"{FOLDER}/CR.TXT": _REPORT.encode(),
        **{f"{FOLDER}/{name}": part.data for name, part in documents.items() if part is not None},
    }
