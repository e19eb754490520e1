"""`drimbench fuzz`: thousands of wrong messages at a box's entry points, until something breaks."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["fuzz"]

_INTERRUPTED = 130


class Target(StrEnum):
    """An entry point, or all of them."""

    ALL = "all"
    MLLP = "mllp"
    DIMSE = "dimse"
    WADO = "wado"
    SOAP = "soap"
    OIDC = "oidc"
    DRIM_CALL = "drim-call"


def fuzz(
    target: Annotated[
        Target,
        typer.Argument(
            help="mllp, dimse, wado : la Source ; drim-call, oidc : la Consommatrice ; soap : le "
            "DMP simulé ; all : tout.",
            show_default=False,
        ),
    ],
    profile: Annotated[
        Path | None, typer.Option(help="Profil TOML du produit (référence embarquée par défaut).")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Cas par entrée (2000 sans --minutes).")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0, help="Durée, au lieu d'un nombre de cas.")] = 0.0,
    seed: Annotated[int | None, typer.Option(min=0, help="Graine (affichée).")] = None,
    only: Annotated[
        int | None, typer.Option(min=0, help="Rejouer ce seul cas de la graine.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Où écrire le dossier de la campagne.")] = Path("runs"),
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
) -> None:
    """Malmène les entrées d'une DRIMbox par des messages faux, chacun rejouable par sa graine.

    Après chaque lot la demande valide doit avoir sa réponse. Un arrêt, un silence, une trace
    d'exécution, un HTTP 500 ou une croissance sans fin est réduit et gardé dans le dossier. Hors de
    cette machine, le profil doit nommer l'hôte (fuzz.hosts).

    [bold]Exemples[/bold]

    drimbench fuzz mllp --count 5000 --seed 7

    drimbench fuzz mllp --seed 7 --only 1234

    drimbench fuzz all --minutes 60

    drimbench fuzz wado --profile ma-boite.toml --json
    """
    from bench.process import BoxFailure
    from bench.profile import EMBEDDED, read
    from load.fuzz import running
    from load.fuzz.campaign import Limits
    from load.fuzz.doors import NAMES
    from load.fuzz.keeping import keep

    if only is not None and target is Target.ALL:
        refuse("--only : une entrée est attendue, pas all")
    if count is not None and minutes:
        refuse("--count et --minutes s'excluent")
    chosen = secrets.randbelow(10**4) if seed is None else seed
    console = Console(stderr=True, highlight=False)
    doors = NAMES if target is Target.ALL else (target.value,)
    limits = Limits(count=count or 2000, minutes=minutes, only=only)
    console.print(f"graine {chosen}")
    # The simulators say so of each wrong request, in this process: thousands of lines.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        told = EMBEDDED if profile is None else read(profile)
        with console.status("Préparation…") as status:

            def tell(door: str, cases: int, findings: int) -> None:
                status.update(f"{door} : {cases} cas, {findings} constat(s)")

            campaign = running.fuzz(told, doors, chosen, limits, tell=tell)
    except BenchError as error:
        refuse(str(error))
    except (BoxFailure, TimeoutError, OSError) as error:
        console.print(f"drimbench : {error}", markup=False)
        raise Finished(ExitCode.INTERNAL) from None
    name = f"fuzz-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{chosen}"
    document = keep(campaign, chosen, runs / name, str(profile or ""))
    if as_json_:
        print_json(document)
    else:
        _show(document, Console(highlight=False))
    if campaign.interrupted:
        raise SystemExit(_INTERRUPTED)
    raise Finished(ExitCode.FAIL if campaign.findings else ExitCode.CONFORM)


def _show(document: dict[str, Any], console: Console) -> None:
    for door in document["doors"]:
        line = f"{door['door']} : {door['cases']} cas, {door['answered']} réponses, "
        line += f"{door['closed']} fermetures, {door['twins']} demandes valides"
        if readings := door["readings"]:
            first, last = (readings[at]["resident_kib"] // 1024 for at in (0, -1))
            line += f", {first} puis {last} Mio"
        console.print(line, markup=False, soft_wrap=True)
    for one in document["findings"]:
        console.print(f"✗ {one['door']} {one['index']} : {one['what']}", style="red", markup=False)
        console.print(f"  {one['replay']}  ({one['folder']})", markup=False, soft_wrap=True)
    if document["interrupted"]:
        console.print("interrompu : ce qui précède est ce qui fut joué")
    if not document["findings"]:
        console.print("✓ ni arrêt, ni silence, ni trace, ni croissance")
    console.print(f"dossier {document['folder']}", markup=False, soft_wrap=True)
