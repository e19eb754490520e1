"""`drimbench req` and `drimbench options`: the requirements and the open points, as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from drimbench.coverage import Coverage

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["OFFICIAL", "options", "req", "use_official"]

OFFICIAL = Path("exigences.toml")
"""Where `req import` writes, and what every command reads when it is there."""

req = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Les exigences : listes, textes, preuves, couverture, import du texte officiel.",
)

Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]


def use_official(file: Path = OFFICIAL) -> int:
    """Adopt the imported texts when the file is there; return how many.

    Raises:
        Finished: the file is there and cannot be used.
    """
    if not file.is_file():
        return 0
    from spec.official import OfficialError, adopt

    try:
        return adopt(file)
    except OfficialError as error:
        refuse(str(error))


@req.command(name="list")
def list_(
    family: Annotated[
        str, typer.Argument(help="Famille, par exemple DB/SO ou DB.SO (toutes par défaut).")
    ] = "",
    kit: Annotated[
        bool, typer.Option("--kit", help="Ajouter les besoins propres du banc (KIT-…).")
    ] = False,
    as_json_: Json = False,
) -> None:
    """Liste les exigences du catalogue, avec ce qui les vérifie.

    [bold]Exemples[/bold]

    drimbench req list

    drimbench req list DB/CO --json
    """
    from spec.requirements import CATALOGUE, counted

    chosen = list(CATALOGUE.values()) if kit else list(counted())
    if family:
        wanted = _family(family)
        chosen = [one for one in chosen if _family(one.family) == wanted]
        if not chosen:
            known = ", ".join(sorted({one.family for one in CATALOGUE.values() if not one.own}))
            refuse(f"famille « {family} » inconnue ; familles : {known}")
    coverage = _measure()
    from drimbench.requirements_view import requirement_as_json, show_list

    if as_json_:
        print_json([requirement_as_json(one, coverage) for one in chosen])
    else:
        show_list(chosen, coverage, Console())


@req.command()
def show(
    id: Annotated[str, typer.Argument(help="Identifiant, dans toutes ses graphies (DB/SO.12…).")],
    as_json_: Json = False,
) -> None:
    """Montre une exigence : texte, source, confiance, preuves attendues, ce qui la vérifie.

    [bold]Exemple[/bold]

    drimbench req show DB/SO.12
    """
    from spec.requirements import resolve

    one = resolve(id)
    if one is None:
        refuse(f"« {id} » n'est pas une exigence connue")
    coverage = _measure()
    from drimbench.requirements_view import describe, requirement_as_json

    if as_json_:
        print_json(requirement_as_json(one, coverage))
    else:
        describe(one, coverage, Console())


@req.command()
def coverage(as_json_: Json = False) -> None:
    """Dit ce qui vérifie quoi, et refuse toute étiquette orpheline ou perte de couverture.

    [bold]Exemple[/bold]

    drimbench req coverage --json
    """
    from drimbench.coverage import faults, read_ratchet
    from drimbench.requirements_view import coverage_as_json, show_coverage
    from spec.requirements import counted

    measured = _measure()
    broken = faults(measured, read_ratchet())
    if as_json_:
        print_json(coverage_as_json(counted(), measured, broken))
    else:
        show_coverage(counted(), measured, broken, Console())
    if broken:
        raise Finished(ExitCode.FAIL)


@req.command(name="import")
def import_(
    workbook: Annotated[Path, typer.Argument(help="REM ou DSR officiel (xlsx).")],
    output: Annotated[
        Path, typer.Option(help="Où écrire ; ce nom est lu d'office dans le dossier courant.")
    ] = OFFICIAL,
    as_json_: Json = False,
) -> None:
    """Remplace nos paraphrases par le texte et le niveau officiels que vous détenez.

    Le lien avec les scénarios et les règles est gardé ; ce qui n'a pas pu être rattaché est listé.

    [bold]Exemple[/bold]

    drimbench req import REM-DRIM-M.xlsx
    """
    from drimbench.requirements_import import WorkbookError, as_toml, read_workbook
    from drimbench.requirements_view import import_as_json, show_import

    try:
        imported = read_workbook(workbook)
    except WorkbookError as error:
        refuse(str(error))
    try:
        output.write_text(as_toml(imported), encoding="utf-8")
    except OSError as error:
        refuse(f"{output} : ne peut pas être écrit ({error.strerror})")
    if as_json_:
        print_json(import_as_json(imported, output))
    else:
        show_import(imported, output, Console())


def options(as_json_: Json = False) -> None:
    """Liste les points que les textes publics laissent ouverts, et ce que fait le banc.

    [bold]Exemple[/bold]

    drimbench options --json
    """
    from drimbench.requirements_view import option_as_json, show_options
    from spec.options import OPTIONS

    if as_json_:
        print_json([option_as_json(one) for one in OPTIONS])
    else:
        show_options(OPTIONS, Console())


def _measure() -> Coverage:
    from bench.gate import FeatureError
    from drimbench.coverage import measure

    try:
        return measure()
    except FeatureError as error:
        refuse(str(error))


def _family(text: str) -> str:
    return text.casefold().replace(".", "/").replace("_", "-")
