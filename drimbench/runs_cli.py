"""`rejudge`, `diff`, `history`, `review`, `attach`, `proceed`: what is done with runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode, exit_code
from drimbench.ending import Finished, print_json, refuse
from drimbench.evidence import write_reports

if TYPE_CHECKING:
    pass

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["attach", "diff", "history", "proceed", "rejudge", "review"]

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
    from bench.packed import refuse_if_packed
    from bench.runs import find_run
    from drimbench.comparing import as_json, show

    try:
        folder = find_run(run, runs)
        if output is None or output.resolve().is_relative_to(folder.resolve()):
            refuse_if_packed(folder, "rejugement dans ce dossier (--output en nomme un autre)")
        recorded, judged = load(folder), load(folder, judge=judge_scenario)
        target = output or folder / "rejugement"
        write_reports(judged, target)
    except (BenchError, OSError) as error:
        refuse(str(error))
    found = compare(recorded, judged)
    if as_json_:
        print_json({**as_json(found), "verdict": judged.verdict.value, "reports": str(target)})
    else:
        console = Console()
        show(found, console, names=("enregistré", "rejugé"))
        console.print(f"Rapports : {target}", highlight=False, soft_wrap=True)
    raise Finished(exit_code(judged.verdict, strict=bool(judged.meta.get("strict"))))


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
        refuse(str(error))
    if as_json_:
        print_json(as_json(found))
    else:
        show(found, Console())
    raise Finished(ExitCode.FAIL if found.regressions else ExitCode.CONFORM)


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
        refuse(str(error))
    if as_json_:
        print_json([as_json(entry) for entry in entries])
    else:
        show(entries, scenario, Console())


def review(
    run: Annotated[str, typer.Argument(help=_WHICH)] = "@1",
    step: Annotated[
        str, typer.Option(help="Décider d'une étape sans dialogue, par exemple SCN-PUB-01:3.")
    ] = "",
    conform: Annotated[
        bool | None, typer.Option("--conform/--not-conform", help="La décision, avec --step.")
    ] = None,
    by: Annotated[str, typer.Option(help="Qui décide.")] = "",
    comment: Annotated[str, typer.Option(help="Ce qui fut constaté ; obligé pour un refus.")] = "",
    only_list: Annotated[bool, typer.Option("--list", help="Montrer sans rien demander.")] = False,
    runs: Runs = Path("runs"),
    as_json_: Json = False,
) -> None:
    """Montre ce qu'une campagne laisse à une personne, et recueille ses décisions.

    Une décision s'ajoute au journal avec son auteur, sa date et son motif ; la dernière compte.
    Les rapports sont réécrits.

    [bold]Exemples[/bold]

    drimbench review                               question par question

    drimbench review --list

    drimbench review @1 --step SCN-REF-02:4 --conform --by "A. Martin" --comment "alerte vue"

    Codes de sortie : ceux de la campagne après décision.
    """
    from bench.assemble import load
    from bench.runs import find_run
    from drimbench import reviewing

    try:
        folder = find_run(run, runs)
        played = load(folder)
        if step:
            if conform is None:
                raise BenchError("--step demande --conform ou --not-conform")
            reviewing.decide_one(played, step, conform=conform, by=by, comment=comment)
            decided = 1
        elif only_list or as_json_ or not sys.stdin.isatty():
            decided = 0
        else:
            decided = reviewing.ask(played, by, Console())
        if decided:
            played = load(folder)
            write_reports(played, folder)
    except (BenchError, OSError) as error:
        refuse(str(error))
    if as_json_:
        print_json(reviewing.as_json(played))
    else:
        reviewing.show(played, Console())
    raise Finished(exit_code(played.verdict, strict=bool(played.meta.get("strict"))))


def attach(
    run: Annotated[str, typer.Argument(help=_WHICH)],
    proof: Annotated[
        str, typer.Argument(help="Ce que le fichier prouve : exigence, preuve, scénario.")
    ],
    file: Annotated[Path, typer.Argument(help="Capture d'écran, vidéo, attestation…")],
    by: Annotated[str, typer.Option(help="Qui le dépose.")] = "",
    runs: Runs = Path("runs"),
) -> None:
    """Joint à une campagne un fichier de preuve, par son empreinte SHA-256.

    [bold]Exemple[/bold]

    drimbench attach @1 DB.SO.15 alerte.png --by "A. Martin"
    """
    from bench.assemble import load
    from bench.decisions import attach as keep
    from bench.runs import find_run
    from drimbench.reviewing import proof_of

    try:
        folder = find_run(run, runs)
        kept = keep(folder, proof_of(load(folder), proof), file, by=by)
        write_reports(load(folder), folder)
    except (BenchError, OSError) as error:
        refuse(str(error))
    Console().print(
        f"{kept.name} : joint pour {kept.proof}, {kept.size} octets, sha256 {kept.sha256}",
        highlight=False,
        soft_wrap=True,
    )


def proceed(
    wait: Annotated[
        str, typer.Argument(help="Identifiant de l'attente ; celle en cours s'il n'y en a qu'une.")
    ] = "",
    run: Annotated[str, typer.Option(help=_WHICH)] = "@1",
    by: Annotated[str, typer.Option(help="Qui le dit.")] = "",
    runs: Runs = Path("runs"),
) -> None:
    """Dit, d'un autre terminal, que ce qu'attend une campagne en cours est fait.

    [bold]Exemples[/bold]

    drimbench proceed

    drimbench proceed import-du-kos --by "A. Martin"
    """
    from bench.attending import proceed as say
    from bench.runs import find_run

    try:
        said = say(find_run(run, runs), wait, by=by)
    except (BenchError, OSError) as error:
        refuse(str(error))
    Console().print(f"attente « {said} » : dit", highlight=False, soft_wrap=True)
