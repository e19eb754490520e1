"""`drimbench data`: one named exam per situation, written, put in a PACS, or played from a set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from bench.dataset.prepared import Prepared
    from bench.dataset.situations import Situation

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["data"]

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Jeux de données : un examen nommé par situation, et ce qu'il doit causer.",
)

Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]
Names = Annotated[
    list[str], typer.Argument(metavar="NOM…", help="Situations (drimbench data list).")
]
ProfileFile = Annotated[
    Path | None,
    typer.Option("--profile", help="Profil TOML du produit (référence embarquée par défaut)."),
]
Seed = Annotated[int, typer.Option(min=0, help="Graine : la même donne les mêmes octets.")]
Day = Annotated[
    datetime,
    typer.Option("--on", formats=["%Y-%m-%d"], help="Jour des examens et des comptes rendus."),
]

_DAY = "2026-11-20"


@data.command(name="list")
def list_(as_json_: Json = False) -> None:
    """Liste les situations : ce que chacune montre, ce qu'elle doit causer.

    [bold]Exemple[/bold]

    drimbench data list --json
    """
    from bench.dataset.notice import described
    from bench.dataset.situations import SITUATIONS

    rows = [described(situation) for situation in SITUATIONS.values()]
    if as_json_:
        print_json(rows)
        raise Finished(ExitCode.CONFORM)
    console = Console()
    for situation in SITUATIONS.values():
        console.print(
            f"[bold]{situation.name}[/bold]  {escape(situation.title)} "
            f"[dim]({situation.images} images)[/dim]",
            highlight=False,
        )
        console.print(f"    {situation.shows}", highlight=False, markup=False)
        for number, step in enumerate(situation.steps, 1):
            seen = ", ".join(dict.fromkeys(effect.transaction for effect in step.effects))
            console.print(
                f"    {number}. {step.act} : {seen}", style="dim", highlight=False, markup=False
            )
    console.print(f"{len(rows)} situations")


@data.command()
def write(
    names: Names,
    output: Annotated[Path, typer.Option(help="Où écrire : un dossier par situation.")] = Path(
        "donnees"
    ),
    profile: ProfileFile = None,
    seed: Seed = 1,
    day: Day = datetime.fromisoformat(_DAY),  # noqa: B008
    as_json_: Json = False,
) -> None:
    """Écrit des situations : messages HL7v2, CDA, images, notes IOCM, KOS attendus, archive XDM.

    Le LISEZMOI.md de chacune dit ce que chaque étape doit causer. Tout dépend de la graine, du
    jour et du profil, de rien d'autre.

    [bold]Exemples[/bold]

    drimbench data write nominal

    drimbench data write depublication iocm-total --output jeu/ --seed 7 --profile ma-boite.toml
    """
    from bench.dataset.situations import named
    from bench.dataset.writing import write as write_files
    from drimbench.counting import Counting

    console = Console(stderr=True, quiet=as_json_)
    written = []
    try:
        for prepared, host in _prepared(named(tuple(names)), profile, seed, day.date()):
            name = prepared.situation.name
            with Counting(console, f"{name}, images") as counting:
                files = write_files(prepared, output / name, host=host, progress=counting)
            written.append({"name": name, "folder": str(output / name), "files": len(files)})
            console.print(
                f"{name} : {len(files)} fichiers dans {output / name}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    except BenchError as error:
        refuse(str(error))
    if as_json_:
        print_json({"seed": seed, "on": f"{day:%Y-%m-%d}", "situations": written})
    raise Finished(ExitCode.CONFORM)


def _prepared(
    situations: tuple[Situation, ...], profile: Path | None, seed: int, day: date
) -> Iterator[tuple[Prepared, str]]:
    """Each situation with its values, and the host of the Source's images."""
    from bench.dataset.prepared import prepare
    from bench.profile import EMBEDDED, read
    from bench.site import site_of

    target = read(profile) if profile else EMBEDDED
    site = site_of(target)
    for situation in situations:
        yield prepare(situation, seed=seed, day=day, site=site), target.source.host
