"""`drimbench bench`: how fast we are, each figure a ratio to a peer measured in the same run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

__all__ = ["bench"]

_WIDTH = 120


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NOM]...", help="Les mesures à faire (toutes par défaut)."),
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Dire les mesures et ce qu'elles comparent.")
    ] = False,
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Les rapports seuls, en tableau Markdown.")
    ] = False,
) -> None:
    """Mesure notre propre vitesse : nous et un pair, dans la même exécution.

    Seul le rapport se compare d'une machine à l'autre. Un pair absent de la machine est sauté, et
    nommé avec le paquet qui le porte. Rien n'est jugé : le code de retour est 0.

    [bold]Exemples[/bold]

    drimbench bench                      tout, en tableau

    drimbench bench --list               les mesures

    drimbench bench c_store              une seule

    drimbench bench c_store kos --json   en JSON : name, ours, peer, ratio, unit, runs
    """
    from load.benchmarks import playing
    from wire.progress import Progress

    known = playing.BENCHMARKS
    if only_list:
        if as_json_:
            print_json([{"name": name, "measures": one.words} for name, one in known.items()])
        else:
            for name, one in known.items():
                sys.stdout.write(f"{name:18} {one.words}\n")
        raise Finished(ExitCode.CONFORM)
    chosen = names or list(known)
    if unknown := [name for name in chosen if name not in known]:
        refuse(f"mesure inconnue : {', '.join(unknown)} (connues : {', '.join(known)})")
    with Progress("mesures", len(chosen)) as progress:
        lines = playing.play(chosen, progress.to)
    if as_json_:
        print_json(playing.document(lines))
    elif as_markdown:
        sys.stdout.write(playing.markdown(lines))
    else:
        # Wide enough for whole lines, also into a file.
        Console(width=max(_WIDTH, Console().width)).print(playing.table(lines))
