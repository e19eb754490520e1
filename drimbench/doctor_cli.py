"""`drimbench doctor`: what keeps a product and the bench from meeting, and who is at fault."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from bench.doctor import Check

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["doctor"]

_BLAMED = {
    "box": "la boîte",
    "profile": "le profil",
    "machine": "la machine",
    "bench": "le banc",
}
_SIGNS = {
    "good": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fault": ("✗", "red"),
    "skip": ("–", "dim"),
}


def doctor(
    profile: Annotated[Path, typer.Option(help="Profil TOML du produit, à ports fixes.")] = Path(
        "drimbench.toml"
    ),
    white_list: Annotated[
        Path | None,
        typer.Option(help="Liste blanche signée où le produit doit être (celle de l'ANS)."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Certificat que le produit montre aux DRIMbox, cherché dans la liste."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="Dossier d'un « serve » passé : à qui la boîte s'est-elle connectée ?"),
    ] = None,
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
) -> None:
    """Cherche ce qui empêche un produit et le banc de se parler, avant toute campagne.

    Noms, ports, TLS dans les deux sens, certificats, horloge, titres d'application, liste blanche ;
    DMP, Pro Santé Connect et PACS comme la boîte les verra, et, d'après un « serve » passé, ceux
    qu'elle a joints.
    Chaque défaut dit qui est en cause (la boîte, le profil, la machine, le banc) et que faire.

    [bold]Exemples[/bold]

    drimbench doctor --profile ma-boite.toml

    drimbench doctor --profile ma-boite.toml --journal banc

    drimbench doctor --profile ma-boite.toml --white-list LISTEBLANCHE_DRIM-M.xml --json

    drimbench doctor --white-list LISTEBLANCHE_DRIM-M.xml --certificate operateur.pem

    Codes de sortie : 0 rien à redire, 1 un défaut au moins, 64 usage.
    """
    from bench.doctor import Given, State, examine
    from bench.profile import read
    from bench.standing import standing
    from wire.exchange import ignore

    console = Console(quiet=as_json_)
    found: list[Check] = []
    try:
        target = read(profile)
        with (
            tempfile.TemporaryDirectory(prefix="drimbench-") as folder,
            standing(target, Path(folder), 1, ignore) as bed,
        ):
            given = Given(white_list=white_list, certificate=certificate, journal=journal)
            for check in examine(bed, given):
                found.append(check)
                _show(check, console)
    except BenchError as error:
        refuse(str(error))
    faults = [one for one in found if one.state is State.FAULT]
    if as_json_:
        print_json([_row(one) for one in found])
    else:
        told = f"{len(faults)} défaut(s)" if faults else "rien n'empêche une campagne"
        console.print(told, style="bold", highlight=False)
    raise Finished(ExitCode.FAIL if faults else ExitCode.CONFORM)


def _show(check: Check, console: Console) -> None:
    sign, style = _SIGNS[check.state.value]
    blamed = f"  [{_BLAMED[check.cause.value]}]" if check.cause else ""
    lines = [f"{sign} {check.name} : {check.message}{blamed}"]
    if check.advice:
        lines.append(f"    {check.advice}")
    for line in lines:
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def _row(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "state": check.state.value,
        "message": check.message,
        "cause": check.cause.value if check.cause else None,
        "advice": check.advice,
    }
