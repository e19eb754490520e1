"""METADATA.XML: the metadata of a published lot, kept in the archive of a DRIMbox."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.xml import NS
from spec.grade import Grade, Reference
from spec.xds import SlotName
from validators.context import Context
from validators.examples import xdm as example
from validators.examples.xds import KOS_ID, edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.xds.reading import Submission, submit_request
from validators.xds.registry import RegistryObject
from validators.xds.rules import XDS, Findings, iti

__all__ = ["ISO_9660", "METADATA", "Metadata", "read", "uri_of"]

_RIM = f"{{{NS['rim']}}}"
_EXPORT = Reference("DRIM-M_DATA", "informatif/XDM", Grade.SAMPLE)
ISO_9660 = re.compile(r"[A-Z0-9_]{1,8}(?:\.[A-Z0-9_]{1,3})?")
"""A name of ISO 9660 level 1."""


@dataclass(frozen=True)
class Metadata(Submission):
    """The registry objects of a METADATA.XML; `root` is the document's."""

    root: etree._Element | None = None


def read(data: bytes, context: Context) -> Metadata:
    """Read a METADATA.XML of either root: SubmitObjectsRequest, or the whole SOAP envelope.

    Raises:
        RemoteProtocolError: not XML, or without exactly one SubmitObjectsRequest.
    """
    document = data.lstrip(b" \t\r\n")
    root = xml.parse(document)
    # No envelope: the message is over, only what it registered is judged.
    first_line = data.count(b"\n", 0, len(data) - len(document)) + 1
    return Metadata(context, submit_request(root), first_line=first_line, root=root)


METADATA = RuleSet(
    "metadata",
    good=example.metadata,
    syntax="META-000",
    unreadable=lambda: b"<lcm:SubmitObjectsRequest",
    reference=iti("Vol. 2, 3.32"),
    requirements=("DB.SO.22", "DB.SO.29", "DB.SO.30"),
)

_OF_A_LOT = (
    *("XDS-020", "XDS-021", "XDS-023", "XDS-024", "XDS-025", "XDS-026", "XDS-027", "XDS-028"),
    *(f"XDS-{number:03}" for number in range(29, 35)),
    *(f"XDS-{number:03}" for number in range(40, 50)),
    *(f"XDS-{number:03}" for number in range(50, 59)),
    *(f"XDS-{number:03}" for number in range(63, 70)),
    *(f"XDS-{number:03}" for number in range(70, 79)),
    *(f"XDS-{number:03}" for number in range(80, 86)),
    "XDS-094",
    *(f"XDS-{number}" for number in range(100, 107)),
    *("XDS-181", "XDS-190"),
)
"""Rules of a publication that need neither its package nor its documents."""

inherit(METADATA, XDS, _OF_A_LOT, example=example.metadata_of)

_ENTRY = f"//rim:ExtrinsicObject[@id='{KOS_ID}']"
_URI = f"{_ENTRY}/rim:Slot[@name='URI']"


def uri_of(item: RegistryObject) -> str:
    """The URI of an entry, its numbered parts put together (ITI Vol. 3 4.2.3.2.27)."""
    values = item.slot(SlotName.URI)
    pieces = [re.fullmatch(r"(\d{1,3})\|(.*)", value) for value in values]
    if len(values) > 1 and all(pieces):
        ordered = sorted((int(one[1]), one[2]) for one in pieces if one)
        return "".join(piece for _, piece in ordered)
    return values[0] if values else ""


@METADATA.rule(
    "META-001",
    "La racine est SubmitObjectsRequest",
    reference=iti("Vol. 2, 3.32.4.1.2"),
    severity=Severity.INFO,
    bad=lambda: example.metadata(enveloped=True),
)
def root(metadata: Metadata) -> Findings:
    # The public sample keeps the whole envelope, VIHF included: read, and said.
    if metadata.root is not None and metadata.root is not metadata.request:
        yield Broken(
            message="Le fichier garde l'enveloppe du message : IHE n'en veut que la demande.",
            expected="lcm:SubmitObjectsRequest",
            actual=str(metadata.root.tag),
            where="/",
        )


@METADATA.rule(
    "META-002",
    "Chaque entrée dit par URI quel fichier est son document",
    reference=iti("Vol. 3, 4.2.3.2.27"),
    bad=lambda: example.metadata(remove(_URI)),
)
def uri(metadata: Metadata) -> Findings:
    for item in metadata.entries:
        if item.slot_count(SlotName.URI) != 1 or not uri_of(item):
            yield Broken(
                message="URI doit figurer une fois, avec une valeur.",
                expected="1",
                actual=str(item.slot_count(SlotName.URI)),
                where=item.slot_path(SlotName.URI),
            )


@METADATA.rule(
    "META-003",
    "URI est un chemin relatif, sans remontée",
    reference=iti("Vol. 2, 3.32.4.1.2"),
    bad=lambda: example.metadata(edit(f"{_URI}//rim:Value", value="../../ETC/PASSWD")),
)
def safe_uri(metadata: Metadata) -> Findings:
    for item in metadata.entries:
        value = uri_of(item)
        if value and (
            value.startswith("/") or re.match(r"[\w+.-]+:", value) or ".." in value.split("/")
        ):
            yield Broken(
                message="Ce chemin sort du dossier du lot.",
                expected="DOSSIER/FICHIER.EXT",
                actual=value,
                where=item.slot_path(SlotName.URI),
            )


@METADATA.rule(
    "META-004",
    "Les noms des fichiers sont ceux d'un CD (8.3, majuscules)",
    reference=iti("Vol. 2, 3.32.4.1.2 (ISO 9660)"),
    tolerated=True,
    bad=lambda: example.metadata(edit(f"{_URI}//rim:Value", value="SS000001/manifeste-1.dcm")),
)
def names(metadata: Metadata) -> Findings:
    for item in metadata.entries:
        value = uri_of(item)
        steps = value.replace("\\", "/").split("/")
        if value and not all(step == ".." or ISO_9660.fullmatch(step) for step in steps):
            yield Broken(
                message="Ce nom n'est pas de ceux d'ISO 9660, niveau 1.",
                expected="A-Z, 0-9, _ : 8 caractères, 3 d'extension",
                actual=value,
                where=item.slot_path(SlotName.URI),
            )


@METADATA.rule(
    "META-005",
    "Deux entrées n'ont pas le même fichier",
    reference=iti("Vol. 3, 4.2.3.2.27"),
    bad=lambda: example.metadata(edit(f"{_URI}//rim:Value", value="SS000001/SIGN_1.XML")),
)
def distinct(metadata: Metadata) -> Findings:
    counted = Counter(uri_of(item) for item in metadata.entries)
    for value, count in counted.items():
        if value and count > 1:
            yield Broken(
                message="Ce fichier est celui de plusieurs entrées.",
                expected="1",
                actual=f"{value}, {count}",
                where="//Slot[@name='URI']",
            )


_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@METADATA.rule(
    "META-006",
    "L'entrée d'un KOS garde l'entryUUID que le DMP lui a donné",
    reference=_EXPORT,
    severity=Severity.WARNING,
    bad=lambda: example.metadata(remove(f"{_ENTRY}/rim:ExternalIdentifier[@id='entry-uuid']")),
)
def entry_uuid(metadata: Metadata) -> Findings:
    # Without it the next DRIMbox has to ask the DMP again (TD3.1b) before it can replace.
    for item in metadata.manifests:
        found = [
            one.get("value", "")
            for one in item.element.findall(f"{_RIM}ExternalIdentifier")
            if _label(one).endswith(".EntryUUID")
        ]
        if not item.id.startswith("urn:uuid:") and (
            len(found) != 1 or _UUID.fullmatch(found[0]) is None
        ):
            yield Broken(
                message="L'entryUUID manque ou est illisible.",
                expected="XDSDocumentEntry.EntryUUID, un UUID",
                actual=" ".join(found),
                where=item.where("ExternalIdentifier"),
            )


def _label(identifier: etree._Element) -> str:
    found = identifier.find(f"{_RIM}Name/{_RIM}LocalizedString")
    return "" if found is None else found.get("value", "")
