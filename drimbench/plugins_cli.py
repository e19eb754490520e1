"""`drimbench plugins`: which plug-ins are installed, and what each brings."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse
from drimbench.plugins import installed

__all__ = ["plugins"]


def plugins(
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
) -> None:
    """Liste les greffons installés, et ce que chacun apporte.

    [bold]Exemple[/bold]

    drimbench plugins --json
    """
    try:
        found = installed()
    except BenchError as error:
        refuse(str(error))
    rows = [
        {
            "name": one.name,
            "features": str(one.features or ""),
            "steps": list(one.steps),
            "kinds": [kind.name for kind in one.kinds],
            "drivers": sorted(one.drivers),
            "projections": sorted(one.projections),
        }
        for one in found
    ]
    if as_json_:
        print_json(rows)
        raise Finished(ExitCode.CONFORM)
    console = Console()
    for row in rows:
        console.print(f"[bold]{row['name']}[/bold]", highlight=False)
        for key, word in _WORDS.items():
            if value := row[key]:
                told = value if isinstance(value, str) else ", ".join(value)
                console.print(f"    {word} : {told}", highlight=False, soft_wrap=True)
    if not rows:
        console.print("Aucun greffon installé (docs/how-to/write-a-plugin.md).")
    raise Finished(ExitCode.CONFORM)


_WORDS = {
    "features": "scénarios",
    "steps": "étapes",
    "kinds": "sortes d'artefacts",
    "drivers": "pilotes",
    "projections": "projections",
}
