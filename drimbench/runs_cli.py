"""`drimbench rejudge`, `diff` and `history`: what is done with runs once they were played."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode, exit_code

if TYPE_CHECKING:
    from bench.results import Run

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["diff", "history", "rejudge"]

Runs = Annotated[Path, typer.Option(help="Dossier des campagnes.")]
Json = Annotated[bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")]
_WHICH = "Dossier, nom ou début de nom d'une campagne ; @1 : la dernière, @2 : celle d'avant…"


def rejudge(
    run: Annotated[str, typer.Argument(help=_WHICH)] = "@1",
    output: Annotated[
        Path | None,
        typer.Option(help="Où écrire les rapports rejugés (RUN/rejugement par défaut)."),
    ] = None,
    runs: Runs = Path("runs"),
    as_json_: Json = False,
) -> None:
    """Juge à nouveau une campagne, depuis son seul journal, avec les règles d'aujourd'hui.

    Les effets attendus restent tels que la campagne les a vus ; seuls les constats des juges sont
    refaits. Les preuves de la campagne ne changent pas : les nouveaux rapports vont à côté.

    [bold]Exemples[/bold]

    drimbench rejudge                              la dernière campagne

    drimbench rejudge 20261122T101500Z-a1b2 --json

    Codes de sortie : ceux de la campagne rejugée.
    """
    from bench.assemble import load
    from bench.comparison import compare
    from bench.judge import judge_scenario
    from bench.runs import find_run
    from drimbench.comparing import as_json, show

    try:
        folder = find_run(run, runs)
        recorded, judged = load(folder), load(folder, judge=judge_scenario)
        target = output or folder / "rejugement"
        _write_reports(judged, target)
    except (BenchError, OSError) as error:
        _refuse(str(error))
    found = compare(recorded, judged)
    if as_json_:
        _print_json({**as_json(found), "verdict": judged.verdict.value, "reports": str(target)})
    else:
        console = Console()
        show(found, console, names=("enregistré", "rejugé"))
        console.print(f"Rapports : {target}", highlight=False, soft_wrap=True)
    raise SystemExit(int(exit_code(judged.verdict, strict=bool(judged.meta.get("strict")))))


def diff(
    before: Annotated[str, typer.Argument(help=_WHICH)] = "@2",
    after: Annotated[str, typer.Argument(help="La campagne à comparer à la première.")] = "@1",
    runs: Runs = Path("runs"),
    as_json_: Json = False,
) -> None:
    """Compare deux campagnes : verdicts, constats, et avec quoi elles furent jouées.

    [bold]Exemples[/bold]

    drimbench diff                                 l'avant-dernière et la dernière

    drimbench diff @5 @1 --json

    Codes de sortie : 0 aucune régression, 1 une au moins, 64 usage.
    """
    from bench.assemble import load
    from bench.comparison import compare
    from bench.runs import find_run
    from drimbench.comparing import as_json, show

    try:
        found = compare(load(find_run(before, runs)), load(find_run(after, runs)))
    except BenchError as error:
        _refuse(str(error))
    if as_json_:
        _print_json(as_json(found))
    else:
        show(found, Console())
    raise SystemExit(int(ExitCode.FAIL if found.regressions else ExitCode.CONFORM))


def history(
    scenario: Annotated[
        str, typer.Argument(help="Un scénario ou une exigence : ses verdicts, de run en run.")
    ] = "",
    runs: Runs = Path("runs"),
    last: Annotated[int, typer.Option(min=1, help="Combien de campagnes, les dernières.")] = 20,
    as_json_: Json = False,
) -> None:
    """Montre les campagnes jouées, ou ce que fut un scénario ou une exigence dans chacune.

    [bold]Exemples[/bold]

    drimbench history

    drimbench history DB.SO.12 --last 50
    """
    from drimbench.chronicle import as_json, read, show

    console = Console(stderr=True, quiet=as_json_)
    try:
        entries = read(runs, last, scenario, console)
    except BenchError as error:
        _refuse(str(error))
    if as_json_:
        _print_json([as_json(entry) for entry in entries])
    else:
        show(entries, scenario, Console())


def _write_reports(run: Run, folder: Path) -> None:
    from reports.html import write_html
    from reports.junit import write_junit

    folder.mkdir(parents=True, exist_ok=True)
    write_junit(run, folder / "junit.xml")
    write_html(run, folder / "rapport.html")


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"drimbench : {message}\n")
    raise SystemExit(int(ExitCode.USAGE))
