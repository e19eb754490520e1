"""`drimbench load`: how fast a DRIMbox is when many ask, beside the published limits."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from load.transfers import Transfer

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["load"]

load = typer.Typer(no_args_is_help=True, help="Mesure une DRIMbox sous charge (extra « load »).")


class Limit(StrEnum):
    """Which published limit of the first image fails a box."""

    EXIGENCE = "exigence"
    SCENARIO = "scenario"


class Language(StrEnum):
    """Of the console and of the page."""

    FR = "fr"
    EN = "en"


@load.callback()
def _named() -> None:
    """Mesure une DRIMbox sous charge, à côté des seuils publiés."""


@load.command(name="wado-series")
def wado_series(
    profile: Annotated[
        Path | None, typer.Option(help="Profil TOML du produit (référence embarquée par défaut).")
    ] = None,
    users: Annotated[int, typer.Option(min=1, max=500, help="Professionnels à la fois.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Durée, montée non comprise.")] = 30.0,
    ramp: Annotated[float, typer.Option(min=0, help="Secondes de montée.")] = 0.0,
    images: Annotated[int, typer.Option(min=1, max=5000, help="Images CT de la série.")] = 100,
    network: Annotated[
        str, typer.Option(help="fibre, adsl, 4g, site-charge ; boucle locale sinon.")
    ] = "",
    first_image: Annotated[
        Limit, typer.Option(help="Seuil de la première image : 1 s, ou 4 s et 20 % de marge.")
    ] = Limit.SCENARIO,
    seed: Annotated[int, typer.Option(min=0, help="Graine du jeu de données.")] = 1,
    html: Annotated[Path | None, typer.Option(help="Page à écrire, graphiques compris.")] = None,
    csv_: Annotated[
        Path | None, typer.Option("--csv", help="Fichier à écrire, une ligne par transfert.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Langue de la page et de la table.")] = Language.FR,
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
) -> None:
    """Une série publiée, demandée par plusieurs professionnels, chacun son jeton (WADO-RS, mTLS).

    Chacun redemande la série dès qu'il l'a. Ctrl-C arrête la mesure, qui est dite quand même. Un
    seuil non tenu, une erreur ou aucune série entière : code 1.

    [bold]Exemples[/bold]

    drimbench load wado-series --users 5 --seconds 30 --html charge.html

    drimbench load wado-series --profile ma-boite.toml --network fibre --first-image exigence --json
    """
    from bench.outcomes import NotMet
    from bench.process import BoxFailure
    from bench.profile import read
    from spec.networks import NETWORKS

    try:
        from load.transfers import FirstImage
        from load.wado_series import Nothing, Plan, play
    except ModuleNotFoundError as error:
        refuse(f"{error.name} n'est pas installé : pip install 'drimbench[load]'")
    if network and network not in NETWORKS:
        refuse(f"--network : un de {', '.join(NETWORKS)} attendu, « {network} » trouvé")
    console = Console(stderr=True, highlight=False)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    plan = Plan(
        users=users,
        seconds=seconds,
        images=images,
        ramp_s=ramp,
        network=network,
        first_image=FirstImage(first_image.value),
        seed=seed,
    )
    try:
        told = None if profile is None else read(profile)
        with console.status("Préparation…") as status:
            came = wrong = size = 0

            def tell(one: Transfer) -> None:
                nonlocal came, wrong, size
                came, wrong, size = came + (not one.failed), wrong + one.failed, size + one.size
                status.update(f"{came} séries, {wrong} erreurs, {size / 1e6:.0f} Mo")

            document = play(plan, told, tell).as_dict()
    except (Nothing, BoxFailure, NotMet, TimeoutError, OSError) as error:
        console.print(f"drimbench : {error}", markup=False)
        raise Finished(ExitCode.INTERNAL) from None
    except BenchError as error:
        refuse(str(error))
    try:
        _write(document, html, csv_, lang.value)
    except OSError as error:
        refuse(str(error))
    if as_json_:
        print_json(document)
    else:
        _show(document, lang.value)
    raise Finished(ExitCode.CONFORM if document["conform"] else ExitCode.FAIL)


def _write(document: Mapping[str, Any], html: Path | None, rows: Path | None, lang: str) -> None:
    from reports.load_page import render

    if html is not None:
        html.write_text(render(document, lang), encoding="utf-8")
    if rows is not None:
        names = ("user", "begun", "seconds", "first", "size", "images", "outcome")
        with rows.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(document["transfers"])


def _show(document: Mapping[str, Any], lang: str) -> None:
    from reports.load_page import WORDS, summary

    words, console = WORDS[lang], Console(highlight=False)
    table, figures = Table(), ("measured", "expected")
    for name in ("threshold", "requirements", "measured", "expected", "verdict", "grade"):
        table.add_column(words[name], justify="right" if name in figures else "left")
    for one in document["thresholds"]:
        measured = one["measured"]
        sign = "≤" if one["name"] == "first_image" else "≥"
        table.add_row(
            words[one["name"]],
            ", ".join(one["requirements"]),
            "–" if measured is None else f"{measured:.3g} {one['unit']}",
            f"{sign} {one['expected']:.3g} {one['unit']}",
            f"{'✗' if one['fails'] else '✓'} {words[one['grading'] or 'unmeasured']}",
            str(one["grade"]),
        )
    console.print(table)
    console.print(summary(document, lang))
    for name, values in document["latency_s"].items():
        spread = ", ".join(f"p{rank} {value:.3f} s" for rank, value in values.items())
        console.print(f"{words[name].split(',')[0]} : {spread or '–'}", markup=False)
    errors = ", ".join(f"{name} {count}" for name, count in document["errors"].items())
    console.print(f"{words['errors']} : {errors or words['none']}", markup=False)
    used = ", ".join(f"{name} {value:g}" for name, value in document["resources"].items())
    console.print(f"{words['resources']} : {used}", markup=False)
    for name in ("interrupted", "limited_by"):
        if document[name]:
            console.print(words["limited" if name == "limited_by" else name])
    console.print(words["note"])
