"""What a Consumer must be told: its configuration file as frozen dataclasses.

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
    Table,
    WhiteListSource,
    connect_to,
    read,
    read_box,
    read_identity,
    read_listen,
    read_whitelist,
)
from drimbox_ref.consumer.documents import DEFAULT_TYPES, Shown
from drimbox_ref.consumer.values import DocumentType, Use
from drimbox_ref.credentials import Dmp, read_dmp
from drimbox_ref.forwarding import Repository, read_repository
from drimbox_ref.limits import Limits, read_limits
from drimbox_ref.viewer.ohif import OhifError, check_folder
from spec.api_psc import SCOPE
from spec.dicom import MODALITIES
from spec.vihf import AUTHN_CONTEXTS, ModeAcces

__all__ = [
    "EXPORT_USES",
    "Api",
    "ConsumerConfig",
    "LocalPacs",
    "Options",
    "Psc",
    "Timing",
    "Wado",
    "Web",
    "load",
]


EXPORT_USES = {
    "lossless": Use.EXPORT,
    "lossy": Use.EXPORT_LOSSY,
    "uncompressed": Use.EXPORT_UNCOMPRESSED,
}
"""The words of `export_syntax`, on the page too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where professionals' browsers come. `public_url` is what they and PSC know (no path)."""

    listen: Listen
    public_url: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Psc:
    """Pro Santé Connect, authenticated to by mutual TLS: the certificate's CN is `client_id`."""

    issuer: str
    client_id: str
    trust: Path
    certificate: Path
    key: Path
    redirect: str
    """Path of the redirect_uri below `public_url`; the whole URI is registered at PSC."""
    logout: str
    """Path below `public_url` where PSC says that a session is over (back-channel logout)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The DMP's API Pro Santé Connectée: its services, and who exchanges tokens for it."""

    url: str
    """Root of the services, as `[dmp] url` is without a token."""
    token_endpoint: str
    trust: Path
    """Who may certify the authorization server."""
    client_id: str
    """`Client_ID_AS`, which the server derives from our certificate; told in the actor token."""
    scope: str
    """Business scope: each target's own, that of the DMP is not public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wado:
    """How Sources are reached: market server certificates, our ORG AUTH_CLI (DB.VI-CO.13)."""

    trust: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPacs:
    """A PACS that exams can be exported to (DB.CO.60). `name` is what professionals read."""

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations in seconds."""

    psc_timeout_s: float
    dmp_timeout_s: float
    wado_timeout_s: float
    """Of silence: a Source that fetches from a slow archive sends nothing meanwhile."""
    pacs_timeout_s: float
    session_idle_s: float
    """Inactivity that logs a user out (SSI/IE.39: configurable)."""
    token_margin_s: float
    """An access token with less than that left is renewed before it leaves (DB.CO.65)."""
    retry_wait_s: float
    """Before a transfer that failed is made again; doubled each time."""
    page_wait_s: float
    """A page is shown after that even if the DMP has not answered yet (DMP/UX.10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Named choices for what public texts leave open."""

    call_parameters: str
    """`2024-12` (ANS test server of the contextual call, follows the newer specification) or
    `2024-07` (ANS demonstrator)."""
    consent_yes: str
    consent_no: str
    consent_unknown: str
    """Values of InformationEtConsentement; none is published, so all are configurable."""
    acces_dmp: str
    """`api_psc` (GI DMP 2.10: token exchanged, Bearer beside the VIHF) or `lps_mtls` (GI DMP 2.9:
    mutual TLS and VIHF alone)."""
    login_mode: str
    """`code` (the browser goes to PSC) or `ciba` (the professional says who they are here, and
    accepts on a telephone): two of the four modes of PSC.01."""
    cnf_thumbprint: str
    """How `cnf` is written: `rfc8705` (base64url of the digest), or `hex`, as the examples of the
    ANS do."""
    check_ins_key: bool
    """Refuse a matricule whose control key is wrong. No public text asks a Consumer to."""
    vihf_version: str
    """`3.0` in every sample, `4.0` in the table of the CI-SIS HL7v2 IG: default `3.0`."""
    signature_algorithm: str
    """Of the VIHF: `rsa-sha256` (ANS example of 2024) or `rsa-sha1` (examples of 2019-2021)."""
    attribute_mode_name: str
    """`Authentification_Mode` (ANS, demonstrator) or `Authentification_mode` (GIE examples)."""
    authn_context: str
    """AuthnContextClassRef by its short name: `TLSClient` in the demonstrator, `SmartcardPKI` in
    the GIE example of AIR mode."""
    authn_context_decl: str
    """AuthnContextDecl, AIR mode only: `APP_BROWSER_AUTH` in the demonstrator."""
    patient_id_issuer: str
    """IssuerOfPatientID of exported images: `keep` what the source wrote (DB.CO.77 speaks of
    PatientID alone), or `from_call`, the authority of PatientIDIssuer."""
    max_exams: int
    """KOS read for one page; more results are announced, not read."""
    max_exam_mib: int
    """Disk that one export may take, in MiB: a Source is not trusted to stop."""
    emergency_modes: tuple[str, ...]
    """Accesses without the patient's authorisation that the page offers (TRE_R248-ModeAcces):
    none by default, `bris_de_glace`, `centre_15`. Each asks for a written reason, kept in the
    trail; a Consumer's right to them is not published."""
    declare_authorisation: bool
    """Offer TD0.3 when only the patient's authorisation is wanting. The draft dropped it."""
    document_years: int
    """How far back reports and requests are looked for, 0 for no limit; the DMP's guides limit a
    first automatic search to two years (IG-FHIR-PDSM4DMP, grade: text)."""
    parallel_exports: int
    """Exports under way at once; others wait in a queue (DB.CO.78)."""
    export_syntax: str
    """Transfer syntaxes that exports prefer: `lossless`, `lossy` or `uncompressed` (DB.CO.74); for
    some modalities, `[export_syntaxes]` says another (DB.CO.75)."""
    zip_export: bool
    """Offer each exam as a ZIP laid out like portable media (DB.CO.71, optional)."""
    parallel_series: int
    """Series fetched side by side, all exports together; as many again for those to be seen."""
    cache_mib: int
    """Disk for images that nobody is reading, in MiB; the longest unused make room (DB.CO.69)."""
    cache_days: int
    """Days that images stay in the local cache: until then the Source is not asked again."""
    retries: int
    """How many times a transfer that failed on its way is made again; a refusal never is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerConfig:
    """The whole configuration of a Consumer."""

    file: Path
    box: Box
    identity: Identity
    web: Web
    admin: Listen
    psc: Psc
    dmp: Dmp
    whitelist: WhiteListSource
    wado: Wado
    local_pacs: tuple[LocalPacs, ...]
    """One `[local_pacs]`, or several `[[local_pacs]]`: the first one unless another is chosen."""
    export_syntaxes: dict[str, str]
    """By modality, as `export_syntax`: `{US = "lossy"}`."""
    api: Api | None
    """None where the DMP is reached without a token."""
    connect_to: dict[str, str]
    repository: Repository | None
    """Where the audit trail is sent on; None keeps it here alone."""
    documents: tuple[Shown, ...]
    """`[[documents]]`: which document types are shown beside the exams, to whom (DMP/UX.17)."""
    viewer: Path | None
    """Folder of an OHIF built for `/ohif/`, offered beside our own viewer; None for none."""
    limits: Limits
    timing: Timing
    options: Options


def load(file: Path) -> ConsumerConfig:
    """The configuration in a TOML file.

    Raises:
        ConfigError: see `drimbox_ref.config.read`.
    """
    return read(file, _build)


def _build(root: Table) -> ConsumerConfig:
    options = _options(root)
    return ConsumerConfig(
        file=root.file,
        box=read_box(root),
        identity=read_identity(root),
        web=_web(root),
        admin=read_listen(root, "admin"),
        psc=_psc(root),
        dmp=read_dmp(root),
        whitelist=read_whitelist(root),
        wado=_wado(root),
        local_pacs=_local_pacs(root),
        export_syntaxes=_export_syntaxes(root),
        api=_api(root, options),
        connect_to=connect_to(root),
        repository=read_repository(root),
        documents=_documents(root),
        viewer=_viewer(root),
        limits=read_limits(root),
        timing=_timing(root),
        options=options,
    )


def _web(root: Table) -> Web:
    table = root.table("web")
    web = Web(
        listen=Listen(
            host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535)
        ),
        public_url=table.url("public_url"),
        certificate=table.path("certificate"),
        key=table.path("key"),
    )
    if web.public_url.count("/") != 2:
        raise table.error("public_url", "une URL https sans chemin", web.public_url)
    table.end()
    return web


def _psc(root: Table) -> Psc:
    table = root.table("psc")
    psc = Psc(
        issuer=table.url("issuer"),
        client_id=table.text("client_id"),
        trust=table.path("trust"),
        certificate=table.path("certificate"),
        key=table.path("key"),
        redirect=table.text("redirect", "/callback"),
        logout=table.text("logout", "/psc/logout"),
    )
    for key, path in (("redirect", psc.redirect), ("logout", psc.logout)):
        if not path.startswith("/") or path == "/":
            raise table.error(key, "un chemin comme /callback", path)
    if psc.redirect == psc.logout:
        raise table.error("logout", "un autre chemin que redirect", psc.logout)
    table.end()
    return psc


def _api(root: Table, options: Options) -> Api | None:
    """The section `[api_psc]`, which `acces_dmp = "api_psc"` needs."""
    if options.acces_dmp == "lps_mtls":
        table = root.table("api_psc", optional=True)
        return None
    table = root.table("api_psc")
    api = Api(
        url=table.url("url"),
        token_endpoint=table.url("token_endpoint"),
        trust=table.path("trust"),
        client_id=table.text("client_id"),
        scope=table.text("scope", SCOPE),
    )
    table.end()
    return api


def _wado(root: Table) -> Wado:
    table = root.table("wado")
    wado = Wado(
        trust=table.path("trust"), certificate=table.path("certificate"), key=table.path("key")
    )
    table.end()
    return wado


def _local_pacs(root: Table) -> tuple[LocalPacs, ...]:
    several = root.is_array("local_pacs")
    tables = root.tables("local_pacs") if several else (root.table("local_pacs"),)
    known: dict[str, LocalPacs] = {}
    for table in tables:
        pacs = _pacs(table)
        if pacs.name in known:
            raise table.error("name", "un nom par PACS", pacs.name)
        known[pacs.name] = pacs
    return tuple(known.values())


def _pacs(table: Table) -> LocalPacs:
    ae_title = table.text("ae_title")
    pacs = LocalPacs(
        name=table.text("name", ae_title),
        ae_title=ae_title,
        host=table.text("host"),
        port=table.integer("port", low=1, high=65535),
        calling_ae=table.text("calling_ae"),
    )
    for key, value in (("ae_title", pacs.ae_title), ("calling_ae", pacs.calling_ae)):
        if len(value) > 16 or not value.isascii():
            raise table.error(key, "16 caractères ASCII au plus", value)
    table.end()
    return pacs


def _documents(root: Table) -> tuple[Shown, ...]:
    shown: dict[frozenset[str], list[DocumentType]] = {}
    for table in root.tables("documents"):
        type_ = DocumentType(table.text("code"), table.text("scheme"), table.text("label"))
        shown.setdefault(frozenset(table.texts("structures", [])), []).append(type_)
        table.end()
    if not shown:
        return (Shown(DEFAULT_TYPES),)
    chosen = (Shown(tuple(types), structures) for structures, types in shown.items())
    return tuple(sorted(chosen, key=lambda one: not one.structures))


def _export_syntaxes(root: Table) -> dict[str, str]:
    table = root.table("export_syntaxes", optional=True)
    chosen = table.strings()
    for modality in chosen:
        if modality not in MODALITIES:
            raise table.error(modality, "une modalité DICOM", modality)
        table.choice(modality, tuple(EXPORT_USES))
    return chosen


def _viewer(root: Table) -> Path | None:
    table = root.table("viewer", optional=True)
    folder = table.path("folder", kind="directory") if "folder" in table else None
    if folder is not None:
        try:
            check_folder(folder)
        except OhifError as error:
            raise table.error("folder", str(error), str(folder)) from None
    table.end()
    return folder


def _timing(root: Table) -> Timing:
    table = root.table("timing", optional=True)
    timing = Timing(
        psc_timeout_s=table.seconds("psc_timeout_s", 10),
        dmp_timeout_s=table.seconds("dmp_timeout_s", 60),
        wado_timeout_s=table.seconds("wado_timeout_s", 60),
        pacs_timeout_s=table.seconds("pacs_timeout_s", 30),
        session_idle_s=table.seconds("session_idle_s", 1800),
        token_margin_s=table.seconds("token_margin_s", 30),
        retry_wait_s=table.seconds("retry_wait_s", 0.5),
        page_wait_s=table.seconds("page_wait_s", 1),
    )
    table.end()
    return timing


def _options(root: Table) -> Options:
    table = root.table("options", optional=True)
    options = Options(
        call_parameters=table.choice("call_parameters", ("2024-12", "2024-07"), "2024-12"),
        consent_yes=table.text("consent_yes", "oui"),
        consent_no=table.text("consent_no", "non"),
        consent_unknown=table.text("consent_unknown", "inconnu"),
        acces_dmp=table.choice("acces_dmp", ("api_psc", "lps_mtls"), "api_psc"),
        login_mode=table.choice("login_mode", ("code", "ciba"), "code"),
        cnf_thumbprint=table.choice("cnf_thumbprint", ("rfc8705", "hex"), "rfc8705"),
        check_ins_key=table.flag("check_ins_key", False),
        vihf_version=table.choice("vihf_version", ("3.0", "4.0"), "3.0"),
        signature_algorithm=table.choice(
            "signature_algorithm", ("rsa-sha256", "rsa-sha1"), "rsa-sha256"
        ),
        attribute_mode_name=table.choice(
            "attribute_mode_name",
            ("Authentification_Mode", "Authentification_mode"),
            "Authentification_Mode",
        ),
        authn_context=table.choice("authn_context", tuple(AUTHN_CONTEXTS), "TLSClient"),
        authn_context_decl=table.text("authn_context_decl", "APP_BROWSER_AUTH"),
        patient_id_issuer=table.choice("patient_id_issuer", ("keep", "from_call"), "keep"),
        max_exams=table.integer("max_exams", 200, low=1, high=1000),
        max_exam_mib=table.integer("max_exam_mib", 20_480, low=1),
        emergency_modes=_emergency_modes(table),
        declare_authorisation=table.flag("declare_authorisation", False),
        document_years=table.integer("document_years", 2, low=0, high=100),
        parallel_exports=table.integer("parallel_exports", 2, low=1, high=16),
        export_syntax=table.choice("export_syntax", tuple(EXPORT_USES), "lossless"),
        zip_export=table.flag("zip_export", False),
        parallel_series=table.integer("parallel_series", 4, low=1, high=32),
        cache_mib=table.integer("cache_mib", 20_480, low=0),
        cache_days=table.integer("cache_days", 1, low=1, high=365),
        retries=table.integer("retries", 2, low=0, high=10),
    )
    consents = {options.consent_yes, options.consent_no, options.consent_unknown}
    if len({value.casefold() for value in consents}) != 3:
        raise table.error("consent_yes", "trois valeurs de consentement distinctes", consents)
    table.end()
    return options


def _emergency_modes(table: Table) -> tuple[str, ...]:
    modes = table.texts("emergency_modes", [])
    known = tuple(mode.value for mode in ModeAcces if mode is not ModeAcces.NORMAL)
    if not set(modes) <= set(known):
        raise table.error("emergency_modes", f"une liste parmi {', '.join(known)}", modes)
    return modes
