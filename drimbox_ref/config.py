"""Reading a configuration file: typed keys, and errors that name file, key, expected and found."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import MetaData

from drimbox_ref.database import Database, DatabaseError

__all__ = [
    "Box",
    "ConfigError",
    "Identity",
    "Listen",
    "Psc",
    "Table",
    "WhiteListSource",
    "connect_to",
    "open_state",
    "read",
]

T = TypeVar("T")

_REQUIRED: Final = object()


class ConfigError(Exception):
    """A configuration that cannot be used; its text is one line in French."""

    def __init__(self, file: Path, key: str, expected: str, found: object) -> None:
        super().__init__(f"{file} : {key} : attendu {expected}, trouvé {_shown(found)}")
        self.file = file
        self.key = key


class Table:
    """One TOML table: each key is asked for by its type, and unknown keys are refused by `end`."""

    def __init__(self, file: Path, name: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.name = name
        self._values = values
        self._asked: set[str] = set()

    def text(self, key: str, default: object = _REQUIRED) -> str:
        """A string; an empty one is accepted only when the default is a string."""
        value: str = self._get(key, default, str, "une chaîne")
        if not value and default is _REQUIRED:
            raise self.error(key, "une chaîne non vide", value)
        return value

    def integer(
        self, key: str, default: object = _REQUIRED, *, low: int = 0, high: int = 2**31
    ) -> int:
        """An integer between `low` and `high`, both included."""
        value: int = self._get(key, default, int, "un entier")
        if isinstance(value, bool) or not low <= value <= high:
            raise self.error(key, f"un entier de {low} à {high}", value)
        return value

    def seconds(self, key: str, default: object = _REQUIRED) -> float:
        """A duration in seconds, strictly positive."""
        value = self._get(key, default, (int, float), "une durée en secondes")
        if isinstance(value, bool) or not 0 < value < 10**9:
            raise self.error(key, "une durée positive en secondes", value)
        return float(value)

    def durations(self, key: str, default: object = _REQUIRED) -> tuple[float, ...]:
        """A list of durations in seconds."""
        values = self._get(key, default, list, "une liste de durées en secondes")
        if any(isinstance(v, bool) or not isinstance(v, int | float) or v < 0 for v in values):
            raise self.error(key, "une liste de durées en secondes", values)
        return tuple(float(v) for v in values)

    def flag(self, key: str, default: object = _REQUIRED) -> bool:
        """true or false."""
        value: bool = self._get(key, default, bool, "true ou false")
        return value

    def texts(self, key: str, default: object = _REQUIRED) -> tuple[str, ...]:
        """A list of strings."""
        values = self._get(key, default, list, "une liste de chaînes")
        if any(not isinstance(value, str) for value in values):
            raise self.error(key, "une liste de chaînes", values)
        return tuple(values)

    def choice(self, key: str, choices: tuple[str, ...], default: object = _REQUIRED) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value not in choices:
            raise self.error(key, " ou ".join(repr(choice) for choice in choices), value)
        return value

    def path(self, key: str, *, kind: str = "file") -> Path:
        """An absolute path; `kind` is `file` (must exist) or `directory` (made when absent)."""
        value = Path(self.text(key))
        if not value.is_absolute():
            raise self.error(key, "un chemin absolu", str(value))
        if kind == "file" and not value.is_file():
            raise self.error(key, "un fichier existant", str(value))
        return value

    def url(self, key: str, default: object = _REQUIRED, *, https: bool = True) -> str:
        """An absolute URL, https unless told otherwise, without query or trailing slash."""
        value = self.text(key, default)
        if not value and default == "":
            return value
        parts = urlsplit(value)
        schemes = ("https",) if https else ("https", "http")
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise self.error(key, f"une URL {' ou '.join(schemes)} sans paramètre", value)
        return value.rstrip("/")

    def __contains__(self, key: str) -> bool:
        """Whether the file writes that key."""
        return key in self._values

    def table(self, key: str, *, optional: bool = False) -> Table:
        """A sub-table; an absent optional one reads as empty."""
        value = self._get(key, {} if optional else _REQUIRED, dict, "une section")
        return Table(self.file, self._path(key), value)

    def is_array(self, key: str) -> bool:
        """Whether the file writes `[[key]]`, with at least one section."""
        value = self._values.get(key)
        return isinstance(value, list) and bool(value)

    def tables(self, key: str, *, at_least: int = 0) -> tuple[Table, ...]:
        """An array of tables."""
        values = self._get(key, [], list, "une liste de sections")
        if len(values) < at_least or any(not isinstance(value, dict) for value in values):
            raise self.error(key, f"au moins {at_least} section(s) [[{self._path(key)}]]", values)
        return tuple(
            Table(self.file, f"{self._path(key)}[{number}]", value)
            for number, value in enumerate(values)
        )

    def strings(self) -> dict[str, str]:
        """All keys of this table, each a string."""
        self._asked.update(self._values)
        for key, value in self._values.items():
            if not isinstance(value, str):
                raise self.error(key, "une chaîne", value)
        return dict(self._values)

    def end(self) -> None:
        """Refuse the keys that nobody asked for: a misspelt option must not be silent."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            raise self.error(unknown[0], "une clé connue", unknown[0])

    def error(self, key: str, expected: str, found: object) -> ConfigError:
        """The error to raise about one key of this table."""
        return ConfigError(self.file, self._path(key), expected, found)

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _get(self, key: str, default: object, types: Any, expected: str) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is _REQUIRED:
            raise self.error(key, expected, None)
        if not isinstance(value, types):
            raise self.error(key, expected, value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What any DRIMbox process has: a name, a place for its state, a seed for its uids."""

    name: str
    state: Path
    journal: Path | None
    """The run whose journal keeps what it says to Sources or Consumers; usually none."""
    usage: Path | None
    """The run whose journal keeps which parts it uses; usually none."""
    seed: int
    database: str
    """PostgreSQL URL of its durable state; "": a SQLite file in `state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the box says it is, towards the DMP (VIHF `LPS_*`, submission set sourceId)."""

    installation_oid: str
    uid_root: str
    lps_name: str
    lps_version: str
    lps_id: str
    lps_homologation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where a listener binds; port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Psc:
    """Pro Santé Connect, as a DRIMbox reaches it: mutual TLS with its ORG AUTH_CLI."""

    issuer: str
    trust: Path
    certificate: Path
    key: Path
    professions: tuple[str, ...]
    clients: tuple[str, ...]
    """The only services (`azp`) whose tokens a Source accepts; () accepts those of any. No public
    text lists them."""
    keep_s: int
    """Seconds for which a Source believes what PSC said of a token, never beyond its `exp`. 0 asks
    at each request: what is revoked is refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteListSource:
    """Where the white list comes from and who must have signed it."""

    url: str
    trust: Path
    igc_trust: Path
    signer_cn: str
    signer_ou: str
    refresh_s: float
    retry_s: float
    """After a fetch that failed: a box that starts before the network must not wait a day."""
    max_age_s: float
    fetch_s: float = 60.0
    """How long a fetch may take in all: whoever lets it drip must not hold the next one back."""
    revocation: str = "crl"
    """Of the signer: `crl` refuses a list whose signer's CRL is not to be had (white list readme,
    grade sample; SSI/IE.43), `off` does not ask. The list in force stays until `max_age_s`."""


def read(file: Path, build: Callable[[Table], T]) -> T:
    """The configuration that `build` makes of the TOML file.

    Raises:
        ConfigError: unreadable file, broken TOML, missing, ill-typed or unknown key.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(file, "fichier", "un fichier lisible", error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(file, "fichier", "du TOML en UTF-8", str(error)) from None
    table = Table(file, "", values)
    built = build(table)
    table.end()
    return built


def read_box(root: Table) -> Box:
    """The `[box]` section."""
    table = root.table("box")
    box = Box(
        name=table.text("name"),
        state=table.path("state", kind="directory"),
        journal=_optional_path(table, "journal"),
        usage=_optional_path(table, "usage"),
        seed=table.integer("seed", 0),
        database=_secret(table, "database"),
    )
    table.end()
    return box


def _secret(table: Table, key: str) -> str:
    """A text that may hold a password: `env:NAME` reads it from the environment."""
    value = table.text(key, "")
    if not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if not os.environ.get(name):
        raise table.error(key, f"la variable d'environnement {name}", None)
    return os.environ[name]


def _optional_path(table: Table, key: str) -> Path | None:
    path = table.text(key, "")
    if path and not Path(path).is_absolute():
        raise table.error(key, "un chemin absolu, ou rien", path)
    return Path(path) if path else None


def open_state(box: Box, name: str, *schemas: MetaData, file: Path) -> Database:
    """A box's durable state: its PostgreSQL database, else the file of that name in `state`.

    Raises:
        ConfigError: it cannot be used.
    """
    try:
        return Database(box.database or box.state / name, *schemas)
    except DatabaseError as error:
        raise ConfigError(file, "box.database", "une base utilisable", str(error)) from error


def read_identity(root: Table) -> Identity:
    """The `[identity]` section."""
    table = root.table("identity")
    identity = Identity(
        installation_oid=table.text("installation_oid"),
        uid_root=table.text("uid_root"),
        lps_name=table.text("lps_name"),
        lps_version=table.text("lps_version"),
        lps_id=table.text("lps_id"),
        lps_homologation=table.text("lps_homologation"),
    )
    table.end()
    return identity


def read_listen(root: Table, section: str) -> Listen:
    """A section that holds only `host` and `port`."""
    table = root.table(section, optional=True)
    listen = Listen(host=table.text("host", "127.0.0.1"), port=table.integer("port", 0, high=65535))
    table.end()
    return listen


def read_psc(root: Table) -> Psc:
    """The `[psc]` section."""
    table = root.table("psc")
    psc = Psc(
        issuer=table.url("issuer"),
        trust=table.path("trust"),
        certificate=table.path("certificate"),
        key=table.path("key"),
        professions=table.texts("professions"),
        clients=table.texts("clients", []),
        keep_s=table.integer("keep_s", 0, high=1800),
    )
    table.end()
    return psc


def read_whitelist(root: Table) -> WhiteListSource:
    """The `[whitelist]` section."""
    table = root.table("whitelist")
    source = WhiteListSource(
        url=table.url("url"),
        trust=table.path("trust"),
        igc_trust=table.path("igc_trust"),
        signer_cn=table.text("signer_cn"),
        signer_ou=table.text("signer_ou"),
        refresh_s=table.seconds("refresh_s", 86_400),
        retry_s=table.seconds("retry_s", 60),
        max_age_s=table.seconds("max_age_s", 7 * 86_400),
        fetch_s=table.seconds("fetch_s", 60),
        revocation=table.choice("revocation", ("crl", "off"), "crl"),
    )
    table.end()
    return source


def connect_to(root: Table) -> dict[str, str]:
    """The `[connect_to]` section: `"host[:port]" = "address:port"`, names unknown to DNS."""
    return root.table("connect_to", optional=True).strings()


def _shown(found: object) -> str:
    if found is None:
        return "rien"
    text = repr(found)
    return text if len(text) <= 120 else text[:117] + "..."
