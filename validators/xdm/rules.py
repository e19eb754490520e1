"""The XDM archive of a DRIMbox: its layout, and each lot that it keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocols import xml
from protocols.errors import RemoteProtocolError
from spec.grade import Grade, Reference
from spec.oids import INS_AUTHORITIES
from spec.xds import EntryScheme
from validators.examples import xdm as example
from validators.finding import Severity
from validators.identifiers import is_matricule, is_oid
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.xdm.metadata import ISO_9660, METADATA, uri_of
from validators.xdm.reading import Archive, Lot, is_safe
from validators.xds.registry import parts
from validators.xds.rules import XDS, Findings, iti

__all__ = ["XDM"]

_LAYOUT = iti("Vol. 2, 3.32.4.1.2")
_EXPORT = Reference("DRIM-M_DATA", "informatif/XDM", Grade.SAMPLE)
_HERE = f"{example.FOLDER}/"
_DOCTYPE = re.compile(rb"(?:<\?xml[^>]*>\s*)?<!DOCTYPE[^>\[]*>\s*")

XDM = RuleSet(
    "xdm",
    good=example.archive,
    syntax="XDM-000",
    unreadable=lambda: b"PK\x03\x04 IHE_XDM/",
    reference=_LAYOUT,
    requirements=("DB.SO.22", "DB.SO.29", "DB.SO.30"),
)

inherit(
    XDM,
    METADATA,
    (id for id in METADATA.rules if id != METADATA.syntax.id),
    example=lambda data: example.archive({f"{_HERE}METADATA.XML": data}),
    parts=Archive.metadata,
)
inherit(
    XDM,
    XDS,
    ("XDS-060", "XDS-061", "XDS-062", "XDS-090", "XDS-091", "XDS-092", "XDS-093"),
    example=example.archive_of,
    parts=Archive.metadata,
)
inherit(
    XDM,
    XDS,
    tuple(f"XDS-{n}" for n in (110, 111, 112, 113, 115, 116, 161, 162)),
    example=example.archive_of,
    parts=Archive.metadata,
)


@XDM.rule(
    "XDM-001",
    "Aucun nom ne sort du dossier où l'archive est dépliée",
    reference=Reference("PKWARE APPNOTE", "4.4.17.1", Grade.STANDARD),
    bad=lambda: example.archive({"../../etc/cron.d/kit": b"x"}),
)
def safe_names(archive: Archive) -> Findings:
    for name in archive.files:
        if not is_safe(name):
            yield Broken(
                message="Ce nom sort de l'archive.",
                expected="un chemin relatif, sans « .. » ni barre inverse",
                actual=name[:200],
                where=name[:200],
            )


@XDM.rule(
    "XDM-002",
    "L'archive a un dossier IHE_XDM et un seul",
    reference=_LAYOUT,
    bad=lambda: example.archive(rename=lambda name: name.replace("IHE_XDM", "XDM")),
)
def home(archive: Archive) -> Findings:
    if len(archive.roots) != 1:
        yield Broken(
            message="Il faut un dossier IHE_XDM.",
            expected="1",
            actual=str(len(archive.roots)),
            where="IHE_XDM",
        )


@XDM.rule(
    "XDM-003",
    "IHE_XDM est à la racine, ou sous le seul dossier KA et année et mois",
    reference=_EXPORT,
    severity=Severity.WARNING,
    bad=lambda: example.archive(rename=lambda name: f"export/{name}"),
)
def prefix(archive: Archive) -> Findings:
    for root in archive.roots:
        if root and re.fullmatch(r"KA\d{6}/", root) is None:
            yield Broken(
                message="IHE_XDM est trop bas dans l'archive.",
                expected="IHE_XDM/ | KAaaaamm/IHE_XDM/",
                actual=f"{root}IHE_XDM/",
                where=root,
            )


@XDM.rule(
    "XDM-004",
    "README.TXT et INDEX.HTM accompagnent IHE_XDM",
    reference=_LAYOUT,
    bad=lambda: example.archive({"KA202611/README.TXT": None}),
)
def front_pages(archive: Archive) -> Findings:
    for name in ("README.TXT", "INDEX.HTM"):
        if not archive.file(name):
            yield Broken(message=f"{name} manque ou est vide.", where=name)


@XDM.rule(
    "XDM-005",
    "INDEX.HTM est une page XHTML",
    reference=_LAYOUT,
    severity=Severity.WARNING,
    bad=lambda: example.archive({"KA202611/INDEX.HTM": b"<html><br></html>"}),
)
def index(archive: Archive) -> Findings:
    data = archive.file("INDEX.HTM")
    if not data:
        return
    # XHTML pages name their document type, which our reader of messages refuses.
    page = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    typed = _DOCTYPE.match(page)
    try:
        root = xml.parse(page if typed is None else page[typed.end() :])
    except RemoteProtocolError as error:
        yield Broken(message=f"La page n'est pas du XML : {error}.", where="INDEX.HTM")
        return
    # Samples leave the namespace of XHTML out; its document type demands these three.
    for path in ("{*}head", "{*}head/{*}title", "{*}body"):
        if root.find(path) is None:
            name = path.replace("{*}", "")
            yield Broken(message=f"La page n'a pas de {name}.", where=f"INDEX.HTM /html/{name}")


@XDM.rule(
    "XDM-006",
    "IHE_XDM a un dossier par lot, chacun avec un METADATA.XML lisible",
    reference=_LAYOUT,
    bad=lambda: example.archive({f"{_HERE}METADATA.XML": b"<lcm:SubmitObjectsRequest"}),
)
def readable_lots(archive: Archive) -> Findings:
    if archive.roots and not archive.lots:
        yield Broken(message="IHE_XDM ne contient aucun lot.", where="IHE_XDM")
    for lot in archive.lots:
        if lot.fault:
            yield Broken(
                message=f"Le lot est illisible : {lot.fault}.", where=f"{lot.folder}/METADATA.XML"
            )


@XDM.rule(
    "XDM-007",
    "Chaque URI mène à un fichier de l'archive",
    reference=iti("Vol. 3, 4.2.3.2.27"),
    bad=lambda: example.archive({f"{_HERE}KOS_1_1.DCM": None}),
)
def uris(archive: Archive) -> Findings:
    for folder, metadata in archive.metadata():
        for item in metadata.entries:
            value = uri_of(item)
            if value and archive.resolve(folder, value) is None:
                yield Broken(
                    message="Ce fichier n'est pas dans l'archive.",
                    actual=value,
                    where=f"{folder} {item.slot_path('URI')}",
                )


@XDM.rule(
    "XDM-008",
    "Chaque fichier d'un lot est nommé par ses métadonnées",
    reference=_LAYOUT,
    severity=Severity.WARNING,
    bad=lambda: example.archive({f"{_HERE}AUTRE.DCM": b"x"}),
)
def strangers(archive: Archive) -> Findings:
    for lot in archive.lots:
        if lot.metadata is None:
            continue
        known = {archive.resolve(lot.folder, uri_of(item)) for item in lot.metadata.entries}
        known |= {f"{lot.folder}/METADATA.XML", f"{lot.folder}/CR.TXT"}
        for name in lot.files:
            if name not in known:
                yield Broken(message="Aucune entrée ne nomme ce fichier.", where=name)


@XDM.rule(
    "XDM-009",
    "Les noms sont ceux d'un CD (8.3, majuscules)",
    reference=iti("Vol. 2, 3.32.4.1.2 (ISO 9660)"),
    tolerated=True,
    bad=lambda: example.archive({"KA202611/lisez-moi.txt": b"x"}),
)
def names(archive: Archive) -> Findings:
    wrong = [
        name
        for name in archive.files
        if not all(ISO_9660.fullmatch(step) for step in name.split("/"))
    ]
    for name in wrong[:10]:
        yield Broken(
            message="Ce nom n'est pas de ceux d'ISO 9660, niveau 1.",
            expected="A-Z, 0-9, _ : 8 caractères, 3 d'extension",
            actual=name[:200],
            where=name[:200],
        )


def _reports(archive: Archive) -> Iterator[tuple[Lot, str, list[str]]]:
    """Each lot that has a CR.TXT, the file's name, and the fields of each of its lines: a KOS of
    several reports has several (draft REM, "one or more report ids", grade: inferred)."""
    for lot in archive.lots:
        name = f"{lot.folder}/CR.TXT"
        if name in archive.files:
            text = archive.files[name].decode("utf-8", "replace").strip()
            for line in text.splitlines() or [""]:
                if line.strip() or not text:
                    yield lot, name, [field.strip() for field in line.split(";")]


@XDM.rule(
    "XDM-010",
    "Chaque lot qui porte un KOS garde l'identifiant du compte rendu (CR.TXT)",
    reference=_EXPORT,
    severity=Severity.WARNING,
    bad=lambda: example.archive({f"{_HERE}CR.TXT": None}),
)
def report_is_kept(archive: Archive) -> Findings:
    known = {lot.folder for lot, _, _ in _reports(archive)}
    for folder, metadata in archive.metadata():
        if metadata.manifests and folder not in known:
            yield Broken(message="CR.TXT manque.", where=f"{folder}/CR.TXT")


@XDM.rule(
    "XDM-011",
    "CR.TXT a six champs : compte rendu, INS et IPP, chacun avec son OID",
    reference=_EXPORT,
    bad=lambda: example.archive({f"{_HERE}CR.TXT": b"CR900;279035121518989"}),
)
def report_fields(archive: Archive) -> Findings:
    for _, name, fields in _reports(archive):
        if (
            len(fields) != 6
            or not is_oid(fields[0])
            or not is_matricule(fields[2])
            or fields[3] not in INS_AUTHORITIES
            or not fields[4]
            or not is_oid(fields[5])
        ):
            yield Broken(
                message="CR.TXT n'a pas les champs attendus.",
                expected="OID;extension;INS;OID de l'INS;IPP;OID de l'IPP",
                actual=";".join(fields)[:200],
                where=name,
            )


@XDM.rule(
    "XDM-012",
    "Le patient de CR.TXT est celui du lot",
    reference=_EXPORT,
    bad=lambda: example.archive(
        {f"{_HERE}CR.TXT": b"1.2.3;CR900;162018885045327;1.2.250.1.213.1.4.10;IPP900;1.2.4"}
    ),
)
def report_patient(archive: Archive) -> Findings:
    for lot, name, fields in _reports(archive):
        if lot.metadata is None or len(fields) != 6:
            continue
        for item in lot.metadata.manifests:
            written = parts(item.external(EntryScheme.PATIENT_ID))[0]
            if written and written != fields[2]:
                yield Broken(
                    message="CR.TXT nomme un autre patient que le lot.",
                    expected=written,
                    actual=fields[2],
                    where=name,
                )


@XDM.rule(
    "XDM-013",
    "Un document n'est que dans un lot",
    reference=iti("Vol. 3, 4.2.3.2.26"),
    bad=example.twice,
)
def once(archive: Archive) -> Findings:
    seen: dict[str, str] = {}
    for folder, metadata in archive.metadata():
        for item in metadata.entries:
            value = item.external(EntryScheme.UNIQUE_ID)
            if value and seen.setdefault(value, folder) != folder:
                yield Broken(
                    message="Ce document est déjà dans un autre lot.",
                    expected=seen[value],
                    actual=value,
                    where=f"{folder} {item.where('ExternalIdentifier[uniqueId]')}",
                )
