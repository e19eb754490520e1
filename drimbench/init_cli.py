"""`drimbench init`: a few questions, and one commented profile."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, refuse
from drimbench.presets import ARCHIVES

if TYPE_CHECKING:
    from bench.profile import Profile

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["init"]

Role = Literal["source", "consumer", "both"]
_SCHEMA = "drimbench-profil.schema.json"


def init(
    file: Annotated[Path, typer.Argument(help="Profil à écrire.")] = Path("drimbench.toml"),
    preset: Annotated[
        Literal["reference", "addresses", "orthanc", "dcm4chee"],
        typer.Option(
            help="Point de départ : la référence lancée par commande, des adresses à remplir, ou "
            "un site dont le PACS est Orthanc ou dcm4chee-arc, à ses adresses d'usine."
        ),
    ] = "addresses",
    role: Annotated[Role | None, typer.Option(help="Ce que le produit revendique.")] = None,
    mode: Annotated[
        Literal["proxy", "native"] | None, typer.Option(help="Devant un PACS, ou dans le PACS.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ne rien demander : options et valeurs par défaut.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Remplacer un profil existant.")] = False,
) -> None:
    """Écrit un profil commenté, et à côté son schéma JSON pour les éditeurs de texte.

    Sans terminal, ou avec --yes, rien n'est demandé. Le profil écrit est relu avant de finir.

    [bold]Exemples[/bold]

    drimbench init                                 les questions, puis drimbench.toml

    drimbench init ma-boite.toml --role source --mode native --yes

    drimbench init ma-boite.toml --preset orthanc --yes         le PACS du site, écouté par le banc

    drimbench init essai.toml --preset reference --yes && drimbench run --profile essai.toml
    """
    from bench.profile import read
    from drimbench.profile_writing import as_toml, json_schema

    try:
        if file.exists() and not force:
            raise BenchError(f"{file} existe déjà : --force le remplace")
        asked = not yes and sys.stdin.isatty()
        profile = _profile(preset, role, mode, _ask() if asked else _default)
        schema = file.with_name(_SCHEMA)
        text = as_toml(profile, schema=f"./{schema.name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written = json.dumps(json_schema(), ensure_ascii=False, indent=2)
        schema.write_text(written + "\n", encoding="utf-8")
        read(file)
    except BenchError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{error.filename or file} : ne peut pas être écrit ({error.strerror})")
    console = Console()
    archive = ARCHIVES.get(preset)
    for line in (
        f"{file} : profil écrit, {schema.name} à côté",
        f"  drimbench run --dry-run --profile {file}     ce qui serait joué",
        f"  drimbench run --profile {file}               la campagne",
        *([f"  {archive.name} : déclarer {archive.to_declare}"] if archive else ()),
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    raise Finished(ExitCode.CONFORM)


Ask = Callable[[str, str, tuple[str, ...]], str]
"""Question, default, choices (empty: any) -> answer."""


def _profile(preset: str, role: Role | None, mode: str | None, ask: Ask) -> Profile:
    from pydantic import ValidationError

    from bench.profile import Profile

    claimed = role or ask("Le produit est : source, consumer ou both", "both", _ROLES)
    kind = mode or ask("proxy (devant un PACS) ou native (dans le PACS)", "proxy", _MODES)
    product = {
        "name": ask("Nom du produit", "Ma DRIMbox", ()),
        "version": ask("Version", "", ()),
        "vendor": ask("Éditeur", "", ()),
    }
    boxes = {
        name: _box(name, preset, kind, ask)
        for name in ("source", "consumer")
        if claimed in (name, "both")
    }
    table: dict[str, Any] = {
        "name": "mon-profil",
        "claims": {"source": claimed != "consumer", "consumer": claimed != "source", "mode": kind},
        "product": product,
        **boxes,
    }
    archive = ARCHIVES.get(preset)
    if archive is not None and "source" in boxes:
        if kind == "native":
            boxes["source"] |= archive.of_native()
        else:
            boxes["source"]["dicom"] = archive.source_dicom
            table["neighbours"] = {"pacs": archive.as_neighbour()}
    if preset != "reference":
        # A product that is configured by hand needs a world that stays where it is.
        ports = {name: port for port, name in enumerate(_WORLD, _FIRST_PORT)}
        table["world"] = {**ports, "pki": "pki"}
    try:
        return Profile.model_validate(table)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, one['loc']))} : {one['msg']} (trouvé : {one['input']!r})"
            for one in error.errors()
        )
        raise BenchError("\n".join(faults)) from None


_ROLES = ("source", "consumer", "both")
_MODES = ("proxy", "native")
_ADDRESSES = {
    "source": {"mllp": "127.0.0.1:2575", "wado": "127.0.0.1:8443", "dicom": "127.0.0.1:11112"},
    "consumer": {"web": "127.0.0.1:8444"},
}
_WORLD = (
    "dmp", "psc", "ans", "igc", "pacs", "local_pacs", "neighbour", "stranger", "counterpart",
    "dns", "page", "api_psc",
)  # fmt: skip
_FIRST_PORT = 48600
_AE_TITLES = {"source": "DRIMBOX", "consumer": "CONSUMER"}


def _box(name: str, preset: str, mode: str, ask: Ask) -> dict[str, Any]:
    if preset == "reference":
        started = ["{python}", "-m", "drimbox_ref", name, "--config", "{config}"]
        return {"command": [*started, "--ready", "{ready}"]}
    spoken = {"source": "Source", "consumer": "Consommatrice"}[name]
    box: dict[str, Any] = {
        key: ask(f"{spoken}, {key} (adresse:port)", usual, ())
        for key, usual in _ADDRESSES[name].items()
        if not (mode == "native" and key == "dicom")
    }
    if mode == "native" and name == "source":
        box["store"] = ask("Son PACS, store (adresse:port, C-STORE)", "127.0.0.1:11112", ())
        box["store_ae_title"] = ask("Son PACS, titre d'application DICOM", "PACS", ())
    box["admin"] = ask(f"{spoken}, alertes et traces (adresse:port, ou rien)", "", ())
    box["ae_title"] = ask(f"{spoken}, titre d'application DICOM", _AE_TITLES[name], ())
    return box


def _default(question: str, usual: str, choices: tuple[str, ...]) -> str:
    return usual


def _ask() -> Ask:
    from rich.prompt import Prompt

    def ask(question: str, usual: str, choices: tuple[str, ...]) -> str:
        answer = Prompt.ask(question, default=usual, choices=list(choices) or None)
        return answer.strip()

    return ask
