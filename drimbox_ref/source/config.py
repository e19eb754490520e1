"""What a Source must be told: its configuration file as frozen dataclasses.

`[options]` holds the points that the public texts leave open; each field says its source and why
its default is what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drimbox_ref.config import (
    Box,
    Identity,
    Listen,
    Psc,
    Table,
    WhiteListSource,
    connect_to,
    read,
    read_box,
    read_identity,
    read_listen,
    read_psc,
    read_whitelist,
)
from drimbox_ref.credentials import Dmp, read_dmp
from drimbox_ref.forwarding import Repository, read_repository
from drimbox_ref.limits import Limits, read_limits
from drimbox_ref.source.hours import Window, window

__all__ = [
    "Dicom",
    "Mllps",
    "Options",
    "Pacs",
    "Ris",
    "SourceConfig",
    "Timing",
    "Wado",
    "load",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dicom:
    """The box's own application entity: C-STORE receiver of its C-MOVEs."""

    ae_title: str
    listen: Listen


@dataclass(frozen=True, slots=True, kw_only=True)
class Mllps:
    """Where RISs come over mutual TLS. The volet leaves the transport open; control point C17 of
    the ANS wants every flow encrypted."""

    listen: Listen
    certificate: Path
    key: Path
    client_ca: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wado:
    """The WADO-RS endpoint `db`: market server certificate, IGC-Santé clients (DB.SO.90, .98)."""

    listen: Listen
    public_url: str
    certificate: Path
    key: Path
    client_ca: Path
    simultaneous: int
    """Transfers at the same time: 1 % of the exams of a day, five at least (DB.SO.35)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacs:
    """A PACS, the accession authorities that it serves and the domains of its PatientIDs
    (DB.SO.04), as OIDs. Without authorities it serves those that no other one names; without
    domains any local identifier of the patient will do."""

    ae_title: str
    host: str
    port: int
    accession_issuers: tuple[str, ...] = ()
    patient_domains: tuple[str, ...] = ()
    retrieve: str = "c-move"
    """How images are asked for: `c-move`, `c-get` or `wado-rs`. No public text chooses: the draft
    REM names C-FIND, and C-STORE for the transfer syntaxes (DB.SO.14, .85), the PoC C-MOVE."""
    dicomweb: str = ""
    """Root of its DICOMweb service, for `wado-rs`."""
    trust: Path | None = None
    """PEM authorities of an https `dicomweb`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ris:
    """A RIS that is expected, as its messages name it; see `senders`."""

    name: str
    """What the audit trail calls it."""
    application: str
    """MSH-3."""
    facility: str = ""
    """MSH-4; "": whatever it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations in seconds."""

    retry_first_s: float
    retry_max_s: float
    pacs_timeout_s: float
    dmp_timeout_s: float
    psc_timeout_s: float
    exam_retry_s: tuple[float, ...]
    """When to look again for an exam that is not in the PACS yet; empty: alert at once
    (DB.SO.15 only says: stop and tell the administrator)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Named choices for what public texts leave open."""

    vihf_version: str
    """`3.0` in every sample, `4.0` in the table of the CI-SIS HL7v2 IG: default `3.0`."""
    signature_algorithm: str
    """Of the VIHF: `rsa-sha256` (ANS example of 2024) or `rsa-sha1` (examples of 2019-2021)."""
    lot_algorithm: str
    """Of the lot signature: every published example is `rsa-sha1`."""
    author: str
    """Who is the document author: the `drimbox` (later DRIM-M samples) or the `professional`."""
    study_uid_authority: str
    """CX.4 of the study UID in referenceIdList: IHE wants none; samples put `1.2.3.4.5.6`."""
    entry_uuid: str
    """When the entryUUID is asked for (TD3.1b): `after_feed`, or `lazy` when it is needed."""
    attribute_mode_name: str
    """`Authentification_Mode` (ANS, PoC) or `Authentification_mode` (GIE examples)."""
    event_code_scheme: str
    """codingScheme of eventCodeList: OID of the `value_set` (ANS validator sample) or of the
    `code_system`."""
    notes_from: str
    """Whose IOCM notes are taken: those of the configured `pacs`, or of `any` AE title. No public
    text says what to do with a note from elsewhere."""
    undeclared_ris: str
    """What a report gets from a RIS that no `[[ris]]` declares, once there is one: `refuse` (AE,
    an alert) or `alert` (taken, an alert). No public text says how a RIS is recognised."""
    find_level: str
    """C-FIND: `relational` (one IMAGE-level query) or `hierarchical` (SERIES, then IMAGE)."""
    key_notes: str
    """Key image notes of the exam: `nested`, read in the PACS and told at each image that they
    point at (ANS sample with a KIN), or `none`, listed as any object."""
    without_dmp: str
    """Report with MetaDMPMSS DESTDMP = N: `stop` (the patient's record must not be fed) or
    `publish`. No public text settles it."""
    kos_transfer_syntax: str
    """Explicit VR LE (accepted sample) or Implicit VR LE (most samples)."""
    revocation: str
    """Of who asks for images: `crl` (the CRL that the certificate names, closed without a current
    one: SSI/IE.43, and default 16 of our reading of the public texts) or `off`. No public text
    says that OCSP is compulsory."""
    cnf: str
    """Of a token that is bound to a certificate (`cnf`): `ignore`, or it must be the one that the
    peer shows, in the form of RFC 8705 (`rfc`) or in that or the one of the ANS's examples
    (`ans`). No public text says that a Source compares, and the certificate that a DRIMbox shows
    to PSC may not be the one that it shows to us: default `ignore`."""
    manufacturer: str
    """Manufacturer (0008,0070) of the KOS."""
    timezone: str
    """Offset written in the KOS (TimezoneOffsetFromUTC): the box stamps UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The viewer's address, open to the Internet: no client certificate there."""

    listen: Listen
    certificate: Path
    """Of the market, in the name of the `vi` host."""
    key: Path
    public_url: str
    """`https://vi1.…`, as links write it and PSC knows it."""
    client_id: str
    """Of the Source at Pro Santé Connect: the CN of the certificate of `[psc]`."""
    redirect: str
    """Path where PSC sends browsers back; registered there after `public_url`."""
    idle_s: float
    """Seconds of inactivity that end a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """The whole configuration of a Source."""

    file: Path
    box: Box
    identity: Identity
    mllp: Listen | None
    """The door in clear; closed when only the other one is written."""
    mllps: Mllps | None
    dicom: Dicom
    admin: Listen
    wado: Wado
    viewer: Viewer | None
    """None: the links of reports lead elsewhere."""
    ris: tuple[Ris, ...]
    """The RISs that are expected; none declared, whoever comes to the door is."""
    pacs: tuple[Pacs, ...]
    dmp: Dmp
    psc: Psc
    whitelist: WhiteListSource
    connect_to: dict[str, str]
    suspended: tuple[Window, ...]
    """Hours during which a resynchronisation begins nothing (DB.SO.28)."""
    repository: Repository | None
    """Where the audit trail is sent on; None keeps it here alone."""
    limits: Limits
    timing: Timing
    options: Options


def load(file: Path) -> SourceConfig:
    """The configuration in a TOML file.

    Raises:
        ConfigError: see `drimbox_ref.config.read`.
    """
    return read(file, _build)


def _build(root: Table) -> SourceConfig:
    return SourceConfig(
        file=root.file,
        box=read_box(root),
        identity=read_identity(root),
        mllp=None if "mllps" in root and "mllp" not in root else read_listen(root, "mllp"),
        mllps=_mllps(root) if "mllps" in root else None,
        dicom=_dicom(root),
        admin=read_listen(root, "admin"),
        wado=_wado(root),
        viewer=_viewer(root) if "viewer" in root else None,
        ris=_every_ris(root),
        pacs=_every_pacs(root),
        dmp=read_dmp(root),
        psc=read_psc(root),
        whitelist=read_whitelist(root),
        connect_to=connect_to(root),
        suspended=_suspended(root),
        repository=read_repository(root),
        limits=read_limits(root),
        timing=_timing(root),
        options=_options(root),
    )


def _dicom(root: Table) -> Dicom:
    table = root.table("dicom")
    dicom = Dicom(
        ae_title=table.text("ae_title"),
        listen=Listen(
            host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535)
        ),
    )
    if len(dicom.ae_title) > 16 or not dicom.ae_title.isascii():
        raise table.error("ae_title", "16 caractères ASCII au plus", dicom.ae_title)
    table.end()
    return dicom


def _mllps(root: Table) -> Mllps:
    table = root.table("mllps")
    mllps = Mllps(
        listen=Listen(
            host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535)
        ),
        certificate=table.path("certificate"),
        key=table.path("key"),
        client_ca=table.path("client_ca"),
    )
    table.end()
    return mllps


def _wado(root: Table) -> Wado:
    table = root.table("wado")
    wado = Wado(
        listen=Listen(
            host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535)
        ),
        public_url=table.url("public_url"),
        certificate=table.path("certificate"),
        key=table.path("key"),
        client_ca=table.path("client_ca"),
        simultaneous=table.integer("simultaneous", 32, low=5, high=1000),
    )
    table.end()
    return wado


def _viewer(root: Table) -> Viewer:
    table = root.table("viewer")
    viewer = Viewer(
        listen=Listen(
            host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535)
        ),
        certificate=table.path("certificate"),
        key=table.path("key"),
        public_url=table.url("public_url").rstrip("/"),
        client_id=table.text("client_id"),
        redirect=table.text("redirect", "/psc/retour"),
        idle_s=table.seconds("idle_s", 1800),
    )
    if not viewer.redirect.startswith("/"):
        raise table.error("redirect", "un chemin qui commence par /", viewer.redirect)
    table.end()
    return viewer


def _every_ris(root: Table) -> tuple[Ris, ...]:
    found: dict[tuple[str, str], Ris] = {}
    for table in root.tables("ris"):
        application = table.text("application")
        ris = Ris(
            name=table.text("name", application),
            application=application,
            facility=table.text("facility", ""),
        )
        table.end()
        if (ris.application, ris.facility) in found:
            raise table.error("application", "un MSH-3 (et MSH-4) par RIS", ris.application)
        found[ris.application, ris.facility] = ris
    return tuple(found.values())


def _every_pacs(root: Table) -> tuple[Pacs, ...]:
    tables = root.tables("pacs", at_least=1)
    found: dict[str, Pacs] = {}
    for table in tables:
        pacs = _pacs(table)
        if pacs.ae_title in found:
            # An archived KOS names its PACS by this title.
            raise table.error("ae_title", "un titre par PACS", pacs.ae_title)
        found[pacs.ae_title] = pacs
    return tuple(found.values())


def _pacs(table: Table) -> Pacs:
    pacs = Pacs(
        ae_title=table.text("ae_title"),
        host=table.text("host"),
        port=table.integer("port", low=1, high=65535),
        accession_issuers=table.texts("accession_issuers", []),
        patient_domains=table.texts("patient_domains", []),
        retrieve=table.choice("retrieve", ("c-move", "c-get", "wado-rs"), "c-move"),
        dicomweb=table.url("dicomweb", "", https=False),
        trust=table.path("trust") if "trust" in table else None,
    )
    if pacs.retrieve == "wado-rs" and not pacs.dicomweb:
        raise table.error("dicomweb", "la racine du service DICOMweb, pour wado-rs", "")
    table.end()
    return pacs


def _suspended(root: Table) -> tuple[Window, ...]:
    table = root.table("resync", optional=True)
    written = table.texts("suspended", [])
    table.end()
    try:
        return tuple(window(one) for one in written)
    except ValueError as error:
        raise table.error("suspended", "des plages « 08:00-18:00 »", str(error)) from None


def _timing(root: Table) -> Timing:
    table = root.table("timing", optional=True)
    timing = Timing(
        retry_first_s=table.seconds("retry_first_s", 5),
        retry_max_s=table.seconds("retry_max_s", 900),
        pacs_timeout_s=table.seconds("pacs_timeout_s", 30),
        dmp_timeout_s=table.seconds("dmp_timeout_s", 60),
        psc_timeout_s=table.seconds("psc_timeout_s", 5),
        exam_retry_s=table.durations("exam_retry_s", []),
    )
    table.end()
    return timing


def _options(root: Table) -> Options:
    table = root.table("options", optional=True)
    options = Options(
        vihf_version=table.choice("vihf_version", ("3.0", "4.0"), "3.0"),
        signature_algorithm=table.choice(
            "signature_algorithm", ("rsa-sha256", "rsa-sha1"), "rsa-sha256"
        ),
        lot_algorithm=table.choice("lot_algorithm", ("rsa-sha1", "rsa-sha256"), "rsa-sha1"),
        author=table.choice("author", ("drimbox", "professional"), "drimbox"),
        study_uid_authority=table.text("study_uid_authority", ""),
        entry_uuid=table.choice("entry_uuid", ("after_feed", "lazy"), "after_feed"),
        attribute_mode_name=table.choice(
            "attribute_mode_name",
            ("Authentification_Mode", "Authentification_mode"),
            "Authentification_Mode",
        ),
        event_code_scheme=table.choice(
            "event_code_scheme", ("value_set", "code_system"), "value_set"
        ),
        notes_from=table.choice("notes_from", ("pacs", "any"), "pacs"),
        undeclared_ris=table.choice("undeclared_ris", ("refuse", "alert"), "refuse"),
        find_level=table.choice("find_level", ("relational", "hierarchical"), "relational"),
        key_notes=table.choice("key_notes", ("nested", "none"), "nested"),
        without_dmp=table.choice("without_dmp", ("stop", "publish"), "stop"),
        kos_transfer_syntax=table.choice(
            "kos_transfer_syntax",
            ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"),
            "1.2.840.10008.1.2.1",
        ),
        revocation=table.choice("revocation", ("crl", "off"), "crl"),
        cnf=table.choice("cnf", ("ignore", "rfc", "ans"), "ignore"),
        manufacturer=table.text("manufacturer", "DRIMBENCH"),
        timezone=table.text("timezone", "+0000"),
    )
    table.end()
    return options
