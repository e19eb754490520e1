"""The profile: one TOML file that says what the product claims, where it is and what it needs.

Without a profile the embedded reference is driven, by the same path: a command started with a
configuration file. What is not claimed is `omit`, never `fail`.
"""

from __future__ import annotations

import hashlib
import math
import os
import tomllib
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bench import certificates, concealed
from bench.certificates import Certificates
from bench.errors import BenchError
from bench.neighbours import Neighbours, unseen
from bench.patients import TestPatient
from protocols import whitelist
from spec.claims import Mode, inapplicable
from spec.grade import Grade
from spec.requirements import resolve

__all__ = ["EMBEDDED", "Profile", "ProfileError", "read"]


class ProfileError(BenchError):
    """The profile cannot be used; one line per fault, naming file, key, expected and found."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Address = Annotated[str, Field(pattern=r"^((\[[0-9A-Fa-f:.]+\]|[^\s:/]+):[0-9]{1,5})?$")]
"""`host:port`, or nothing."""
Url = Annotated[str, Field(pattern=r"^(https?://[^\s/]+\S*)?$")]
"""An http or https address, or nothing."""
AeTitle = Annotated[str, Field(pattern=r"^[ -\[\]-~]{1,16}$")]
"""PS3.5 6.2: sixteen characters of the default repertoire, no backslash."""


class Claims(_Table):
    """What the product claims to be."""

    source: bool = True
    consumer: bool = True
    mode: Mode = "proxy"
    """`proxy`: it stands before a PACS; `native`: the PACS is a part of it (`spec.claims`)."""
    omi: bool = True
    """Proxy: it takes OMI^O23 of the PACS. The FAQ 8801 names it beside IOCM, which the draft asks
    for (DB.SO.25): whether both must be taken is not public."""


class Product(_Table):
    """The identity that reports show."""

    name: str = "DRIMbox de référence"
    version: str = ""
    vendor: str = ""


class SourceBox(_Table):
    """Where the Source is, or how to start it.

    A `command` is started with `{python}`, `{config}` and `{ready}` replaced, and tells its
    addresses in the ready file. Without a command the addresses must be given.
    """

    command: tuple[str, ...] = ()
    mllp: Address = ""
    mllps: Address = ""
    """Where it receives reports by MLLP over mutual TLS; all of them when `mllp` is empty."""
    wado: Address = ""
    dicom: Address = ""
    iocm: Address = ""
    """Where it takes IOCM notes by C-STORE; empty: at `dicom`."""
    admin: Address = ""
    """Optional local address of the alerts and the audit trail; without it they are reviewed."""
    viewer: Address = ""
    """Where its viewer answers, to which the links of its reports lead; without it, what judges
    that viewer is left out."""
    viewer_host: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$")] = ""
    """The `vi` name of that viewer; empty: that of `host`, `vi` in the place of `db`."""
    viewer_redirect: Annotated[str, Field(pattern=r"^/\S*$")] = "/psc/retour"
    """Path of that viewer where Pro Santé Connect sends browsers back."""
    ports: dict[str, Port] = Field(default_factory=dict)
    """Ports that a started box must take; 0 or absent: it chooses."""
    ae_title: AeTitle = "DRIMBOX"
    host: str = "db1.drimbench.test"
    """The `db` name: in the white list, in the server certificate, in KOS RetrieveURLs."""
    store: Address = ""
    """Native: where its own PACS receives images by C-STORE."""
    store_ae_title: AeTitle = "PACS"
    stow: Url = ""
    """Native: DICOMweb root of its own PACS, which receives images by STOW-RS; it is preferred
    to `store`."""
    stow_trust: str = ""
    """PEM authorities of an https `stow`; empty: the bench's own server authority."""
    stow_certificate: str = ""
    stow_key: str = ""
    changes: tuple[str, ...] = ()
    """The vendor's program that takes images out of a native product's PACS, and imports an XDM
    archive (`bench.changes`)."""
    pacs_changes: tuple[str, ...] = ()
    """The program of the site's real PACS (`neighbours.pacs`), which takes images out of it and has
    it send (`bench.changes`)."""
    database: str = ""
    """PostgreSQL database of the reference's durable state, empty when it begins; "": a file."""
    start: Literal["report", "xdm"] = "report"
    """Where scenarios on images begin: a report is published, or the KOS is preloaded as XDM."""


class ConsumerBox(_Table):
    """Where the Consumer is, or how to start it."""

    command: tuple[str, ...] = ()
    web: Address = ""
    start: Literal["report", "preloaded"] = "report"
    """Where scenarios begin: a Source publishes during the run, or the DMP holds the KOS."""
    admin: Address = ""
    ports: dict[str, Port] = Field(default_factory=dict)
    host: str = "consumer.drimbench.test"
    ae_title: AeTitle = "CONSUMER"
    driver: str = ""
    """Who drives the product's pages, one of `bench.drivers` or of a plug-in; empty: plain HTML
    forms."""
    exam_mib: Annotated[int, Field(ge=0)] = 0
    """The largest answer of a Source that it takes, in MiB; 0: not told (a box that the bench
    starts is told to take 32)."""


Host = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]


def _canonical(written: object) -> object:
    """An IP address as it is compared: `::1` for each of its forms."""
    try:
        return str(ip_address(written)) if isinstance(written, str) else written
    except ValueError:
        return written


Reachable = Annotated[
    str,
    BeforeValidator(_canonical),
    Field(pattern=r"^([0-9a-f]*:[0-9a-f:.]+|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"),
]
"""An IPv4 or IPv6 address, without brackets nor port, or a name; or nothing."""


class World(_Table):
    """Addresses and ports of the simulators, for a box that is configured once, and what they
    publish.

    A port of 0 is any free one.
    """

    address: Annotated[Reachable, Field(min_length=1)] = "127.0.0.1"
    """Where the simulators listen, and what they are known by unless `announce` says otherwise."""
    announce: Reachable = ""
    """What boxes are told instead of `address`: behind a translation of addresses, or with
    `0.0.0.0`."""
    dmp: Port = 0
    psc: Port = 0
    api_psc: Port = 0
    """The authorization server of the DMP's API, for a Consumer."""
    proxy_esante: Port = 0
    """A proxy e-santé that the product's Consumer may use (`/connect`, `/send/dmp/…`); 0: none."""
    ans: Port = 0
    igc: Port = 0
    pacs: Port = 0
    second_pacs: Port = 0
    """Of another accession authority. A Source that the bench starts is told where it is; one that
    is somewhere already knows it when this is fixed, and there is none otherwise."""
    local_pacs: Port = 0
    neighbour: Port = 0
    stranger: Port = 0
    ris: Port = 0
    """Where a real RIS that is listened to sends; the bench passes it on to the Source."""
    counterpart: Port = 0
    """The healthy Source that a product's Consumer calls."""
    dns: Port = 0
    """Where the names of the bench are answered, by UDP and TCP; 0: nowhere."""
    page: Port = 0
    """The local page of `drimbench serve`."""
    domain: Host = "drimbench.test"
    """Under which the bench's own hosts are named: `db4.<domain>`, `dmp.<domain>`."""
    pki: str = ""
    """Folder where certificates and keys are kept from one run to the next; empty: made anew.
    A relative one is beside the profile."""
    white_list_format: whitelist.Format = "B"
    """Which of the two published formats signs the white list: a box reads both."""

    @model_validator(mode="after")
    def _told(self) -> Self:
        """Boxes are told something that they can reach, and the DNS an address.

        Raises:
            ValueError: one does not.
        """
        if _is_any(self.announced):
            raise ValueError(
                "world.announce : une adresse que la boîte peut joindre est attendue "
                f"(trouvé : {self.announced!r})"
            )
        if self.dns and _ip(self.announced) is None:
            raise ValueError(
                "world.announce : une adresse IP est attendue, que le DNS du banc puisse dire "
                f"(trouvé : {self.announced!r}), ou world.dns = 0"
            )
        return self

    @property
    def announced(self) -> str:
        """The host by which boxes reach the simulators."""
        return self.announce or self.address

    @property
    def exposure(self) -> str:
        """What is to be known when other machines may reach the simulators, in French; "" when
        none can. A name other than `localhost` is taken for an address that they reach."""
        found = _ip(self.address)
        if self.address == "localhost" or (found is not None and found.is_loopback):
            return ""
        return (
            f"les simulateurs écoutent à {self.address}, d'autres machines peuvent les joindre : "
            "sur un réseau d'essai seulement, n'importe qui s'y connecte sans secret"
        )


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_any(host: str) -> bool:
    found = _ip(host)
    return found is not None and found.is_unspecified


class Timing(_Table):
    """How long the bench waits, in seconds."""

    start_s: Seconds = 60.0
    ack_s: Seconds = 10.0
    effect_s: Seconds = 20.0
    """For an effect that the box owes: a publication, an alert, an export."""
    retry_window_s: float = Field(default=0.5, ge=0)
    """How long after a sentinel's effect an unwanted effect may still come."""
    person_s: Seconds = 600.0
    """For what a person is asked to do during a campaign."""
    give_up_after: int = Field(default=2, ge=0)
    """Scenarios in a row without any answer after which a box that gives no sign of life is not
    driven any more; 0: it is, whatever happens."""


class Demands(_Table):
    """What the judges of files then demand, as an error. What is empty is not demanded."""

    image_hosts: tuple[Host, ...] = ()
    """Hosts of the RetrieveURLs; the Source's `host` when it is written and this is not."""
    viewer_hosts: tuple[Host, ...] = ()
    schemes: tuple[Literal["http", "https"], ...] = ()
    pdfa: tuple[Annotated[str, Field(pattern=r"^[1-4][ABEFU]?$")], ...] = ()
    """Levels of PDF/A that a report may claim: `1B`, `3A`."""


class Load(_Table):
    """What measures are compared with: a person's, or a load test's. Shown in every report.

    Defaults are those of the 2023 project texts (grade: draft), which contradict each other and
    whose present values are unknown.
    """

    daily_exams: int = Field(default=0, ge=0)
    """Exams that the site produces a day; 0: unknown."""
    least_series: int = Field(default=5, ge=1)
    """DB.SO.35: series served at once, 1 % of the exams of a day, and this many at least."""
    throughput_mbps: float = Field(default=100.0, gt=0)
    """DB.SO.100, DB.SO.101, DB.VI-CO.40, DB.VI-SO.38: Mbit/s."""
    first_image_s: Seconds = 1.0
    """DB.VI-CO.39, DB.VI-SO.37: 1 s in the requirement sheet."""
    first_image_scenario_s: Seconds = 4.0
    """The same in the sheet of the scenarios."""
    first_image_margin: float = Field(default=0.2, ge=0)
    """Which gives that one a margin of 20 %."""
    export_mib: int = Field(default=0, ge=0)
    """Size of the exam whose export is timed, about; 0: a few small images."""

    @property
    def first_image_at_most_s(self) -> float:
        """The looser threshold of the first image, margin included, in seconds."""
        return self.first_image_scenario_s * (1 + self.first_image_margin)

    @property
    def series_at_once(self) -> int:
        """How many series a Source must serve at the same time."""
        return max(self.least_series, math.ceil(self.daily_exams / 100))


class Fuzz(_Table):
    """What may be sent anything at all."""

    hosts: tuple[Host, ...] = ()
    """Hosts of the boxes, as their addresses write them, that their owner gives up to it in
    writing; loopback needs no such word."""


Word = Annotated[str, Field(min_length=1)]


class NeighbourPapers(_Table):
    """What it takes to speak TLS with a real neighbour. PEM files, relative ones beside the
    profile. With them a tap ends TLS and begins it again; without, it sees sealed bytes."""

    neighbour: Literal["dmp", "psc", "ans"]
    trust: Word
    """Authorities of its certificate."""
    certificate: str = ""
    """What the tap shows to it, leaf and chain; empty: nothing."""
    key: str = ""
    client_ca: str = ""
    """Authorities of what the boxes show to the tap; empty: the bench's."""

    @model_validator(mode="after")
    def _paired(self) -> Self:
        """A certificate and its key go together.

        Raises:
            ValueError: one is alone.
        """
        if bool(self.certificate) != bool(self.key):
            raise ValueError("papers : certificate et key vont ensemble")
        return self


class ExpectedFailure(_Table):
    """A scenario known to fail, why, and the last day on which that is accepted."""

    scenario: Annotated[str, Field(pattern=r"^SCN-")]
    reason: Word
    until: date


class Challenge(_Table):
    """A requirement whose test the vendor believes wrong: shown in the report, judged all the
    same."""

    requirement: Word
    argument: Word
    decision: str = ""
    """What was decided of it, and by whom; empty while nothing is."""
    by: Word
    on: date


class Profile(_Table):
    """A whole profile."""

    name: str = "reference-embarquee"
    claims: Claims = Claims()
    product: Product = Product()
    source: SourceBox = SourceBox()
    consumer: ConsumerBox = ConsumerBox()
    world: World = World()
    neighbours: Neighbours = Neighbours()
    papers: tuple[NeighbourPapers, ...] = ()
    certificates: Certificates = Certificates()
    """What the product shows, when it is not what the bench issues."""
    patients: tuple[TestPatient, ...] = ()
    """Whom a real DMP knows: it is not for the bench to create anybody there."""
    timing: Timing = Timing()
    load: Load = Load()
    fuzz: Fuzz = Fuzz()
    demands: Demands = Demands()
    options: dict[str, str] = Field(default_factory=dict)
    """Named options for the points that public texts leave open."""
    suites: dict[str, tuple[Word, ...]] = Field(default_factory=dict)
    """Name -> what `drimbench run --suite NAME` plays: ids, requirements, tags, domains, roles."""
    expected_failures: tuple[ExpectedFailure, ...] = ()
    challenges: tuple[Challenge, ...] = ()
    floor: Grade = Grade.DRAFT
    strict: bool = False

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Each challenge names a requirement, each scenario is expected to fail once.

        Raises:
            ValueError: one does not.
        """
        for challenge in self.challenges:
            if resolve(challenge.requirement) is None:
                raise ValueError(f"challenges : exigence inconnue « {challenge.requirement} »")
        source = self.source
        if self.claims.mode == "native" and self.claims.source:
            if not source.command and not (source.mllp or source.mllps):
                raise ValueError(
                    "claims.mode native : la référence embarquée est proxy ; source.command, ou "
                    "source.mllp et source.store ou source.stow, est attendu"
                )
            if not source.command and not source.store and not source.stow:
                raise ValueError(
                    "claims.mode native : source.store (adresse:port) ou source.stow (URL) est "
                    "attendu, pour que le banc charge les images dans le PACS du produit"
                )
        if bool(source.stow_certificate) != bool(source.stow_key):
            raise ValueError("source.stow_certificate et source.stow_key vont ensemble")
        if source.stow_certificate and urlsplit(source.stow).scheme != "https":
            raise ValueError("source.stow_certificate : source.stow en https est attendu")
        if self.claims.mode == "native" and not self.neighbours.of("pacs").simulated:
            raise ValueError("neighbours.pacs : un produit natif a son PACS en lui")
        owners = [one.neighbour for one in self.papers]
        if len(owners) != len(set(owners)):
            raise ValueError("papers : un voisin y est deux fois")
        simulated = [name for name in owners if self.neighbours.of(name).simulated]
        if simulated:
            raise ValueError(f"papers : {', '.join(simulated)} est simulé, et n'en demande pas")
        named = [one.scenario for one in self.expected_failures]
        if len(named) != len(set(named)):
            raise ValueError("expected_failures : un scénario y est deux fois")
        return self

    def digest(self) -> str:
        """SHA-256 of the canonical JSON form: two runs with one digest had one profile."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def papers_of(self, name: str) -> NeighbourPapers | None:
        """What is given to speak TLS with that neighbour."""
        return next((one for one in self.papers if one.neighbour == name), None)

    def unseen(self) -> dict[str, str]:
        """Transaction -> why the bench sees none of it."""
        return unseen(self.neighbours, [one.neighbour for one in self.papers])

    def inapplicable(self) -> dict[str, str]:
        """Requirement id -> why the product's claims leave it out, in French."""
        found = dict(inapplicable(self.claims.mode))
        if not self.claims.omi:
            found.setdefault("KIT-OMI", "OMI^O23 n'est pas revendiqué (claims.omi)")
        return found

    def external_source(self) -> bool:
        """Whether the Source is somewhere already, rather than started by us."""
        return not self.source.command and bool(self.source.mllp or self.source.mllps)

    def external_consumer(self) -> bool:
        """Whether the Consumer is somewhere already, rather than started by us."""
        return not self.consumer.command and bool(self.consumer.web)


EMBEDDED = Profile()
"""The embedded reference, which `bench.bed` starts."""


def read(path: Path) -> Profile:
    """Read a profile. `env:NAME` strings are replaced by that environment variable, and what they
    give is masked from then on wherever something is shown (`bench.concealed`), but for names,
    addresses and the identity of the product.

    Raises:
        ProfileError: unreadable, not TOML, unknown or wrong key, missing variable.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path} : illisible ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} : TOML invalide : {error}") from None
    try:
        profile = _beside(Profile.model_validate(_resolve(table, path, ())), path)
    except ValidationError as error:
        lines = (
            f"{path} : clé « {'.'.join(map(str, fault['loc']))} » : {fault['msg']}"
            f" (trouvé : {fault['input']!r})"
            for fault in error.errors()
        )
        raise ProfileError(concealed.in_text("\n".join(lines))) from None
    problems = [
        f"{path} : clé « certificates.{key} » : {told}"
        for key, told in profile.certificates.problems(datetime.now(UTC))
    ]
    if problems:
        raise ProfileError("\n".join(problems))
    return profile


def _beside(profile: Profile, file: Path) -> Profile:
    """The profile with its folders and files absolute: a run may be started from anywhere."""
    folder = file.absolute().parent

    def placed(
        table: World | SourceBox | NeighbourPapers | Certificates, *keys: str
    ) -> dict[str, str]:
        written = {key: getattr(table, key) for key in keys}
        return {
            key: (folder / value).as_posix()
            for key, value in written.items()
            if value and not certificates.is_text(value)
        }

    world = placed(profile.world, "pki")
    source = placed(profile.source, "stow_trust", "stow_certificate", "stow_key")
    return profile.model_copy(
        update={
            "world": profile.world.model_copy(update=world),
            "source": profile.source.model_copy(update=source),
            "certificates": profile.certificates.model_copy(
                update=placed(profile.certificates, *certificates.AUTHORITIES, *certificates.SHOWN)
            ),
            "papers": tuple(
                one.model_copy(update=placed(one, "trust", "certificate", "key", "client_ca"))
                for one in profile.papers
            ),
        }
    )


_SHOWN = frozenset({"name", "claims", "product", "world", "timing", "neighbours"})
"""Tables, and keys of the first level, that say who and where, never a secret."""
_SHOWN_KEYS = frozenset(
    {
        "mllp", "mllps", "wado", "dicom", "iocm", "admin", "web", "host", "ae_title", "ports",
        "store", "store_ae_title", "stow", "viewer", "viewer_host", "viewer_redirect",
    }
)  # fmt: skip


def _resolve(value: object, path: Path, key: tuple[str, ...]) -> object:
    """The value with each `env:NAME` replaced; what is not of a key that is shown is concealed."""
    if isinstance(value, dict):
        return {name: _resolve(item, path, (*key, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, path, key) for item in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in os.environ:
            raise ProfileError(f"{path} : la variable d'environnement {name} n'est pas définie")
        found = os.environ[name]
        if key[0] not in _SHOWN and not _SHOWN_KEYS.intersection(key):
            concealed.conceal(name, found)
        return found
    return value
