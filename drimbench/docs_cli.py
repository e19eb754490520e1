"""`drimbench docs`: the reference pages that the project writes about itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import BenchError
from drimbench.ending import refuse

# As in drimbench.cli, each command imports what it needs when it runs.

__all__ = ["docs"]

docs = typer.Typer(no_args_is_help=True, help="Pages de référence produites par le banc.")

Output = Annotated[
    Path | None, typer.Option(help="Où écrire la page (sortie standard par défaut).")
]


@docs.command()
def rules(output: Output = None) -> None:
    """Produit la page de référence des règles (docs/reference/regles.md).

    [bold]Exemple[/bold]

    drimbench docs rules --output docs/reference/regles.md
    """
    from drimbench.rules_page import rules_page

    _write(rules_page(), output)


@docs.command()
def faults(output: Output = None) -> None:
    """Produit la page de référence des pannes des simulateurs (docs/reference/pannes.md).

    [bold]Exemple[/bold]

    drimbench docs faults --output docs/reference/pannes.md
    """
    from drimbench.faults_page import faults_page

    _write(faults_page(), output)


@docs.command()
def source(output: Output = None) -> None:
    """Produit la page de ce qui juge une Source : exigences, cas limites, et ce qui n'est pas joué.

    [bold]Exemple[/bold]

    drimbench docs source --output docs/reference/source.md
    """
    from drimbench.coverage import measure
    from drimbench.source_page import source_page

    _write(source_page(measure()), output)


@docs.command()
def consumer(output: Output = None) -> None:
    """Produit la page de ce qui juge une Consommatrice : exigences, scénarios, preuves du projet.

    [bold]Exemple[/bold]

    drimbench docs consumer --output docs/reference/consommatrice.md
    """
    from drimbench.consumer_page import consumer_page
    from drimbench.coverage import measure

    _write(consumer_page(measure()), output)


@docs.command()
def security(output: Output = None) -> None:
    """Produit le catalogue de sécurité : 133 attaques, ce qui doit en sortir, et qui le juge.

    [bold]Exemple[/bold]

    drimbench docs security --output docs/reference/securite.md
    """
    from drimbench.coverage import measure
    from drimbench.security_page import security_page

    _write(security_page(measure()), output)


@docs.command()
def socle(output: Output = None) -> None:
    """Produit la page du socle : ce qui prouve chaque exigence, et sous quel nom le joindre.

    [bold]Exemple[/bold]

    drimbench docs socle --output docs/reference/socle.md
    """
    from drimbench.coverage import measure
    from drimbench.socle_page import socle_page

    _write(socle_page(measure()), output)


@docs.command()
def mutants(
    record: Annotated[Path, typer.Argument(help="La matrice consignée.")],
    pages: Annotated[list[Path], typer.Argument(help="Les pages à récrire entre leurs marques.")],
) -> None:
    """Écrit dans des pages ce que prouve la matrice consignée par drimbench mutants --record.

    [bold]Exemple[/bold]

    drimbench docs mutants docs/reference/matrice.json README.md README.fr.md
    """
    from drimbench.matrix_page import rewrite
    from mutants.record import read

    try:
        written = read(record)
        texts = [(page, rewrite(page, written)) for page in pages]
    except (BenchError, OSError) as error:
        refuse(str(error))
    for page, text in texts:
        page.write_text(text, encoding="utf-8")


def _write(page: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(page)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8")
