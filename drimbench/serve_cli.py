"""`drimbench serve`: the simulators on fixed addresses, until stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, refuse

if TYPE_CHECKING:
    from bench.standing import Line
    from wire.exchange import Exchange

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["serve"]


def serve(
    profile: Annotated[Path, typer.Option(help="Profil TOML du produit, à ports fixes.")] = Path(
        "drimbench.toml"
    ),
    output: Annotated[
        Path, typer.Option(help="Où écrire journal, confiance et configurations.")
    ] = Path("banc"),
    once: Annotated[
        bool, typer.Option("--once", help="Écrire ce qu'il faut configurer, puis s'arrêter.")
    ] = False,
    weather: Annotated[
        int,
        typer.Option(
            "--meteo", min=0, help="Secondes entre deux sondages de la météo ; 0 : aucun."
        ),
    ] = 60,
) -> None:
    """Tient les simulateurs à des adresses fixes, le temps de configurer un produit.

    Écrit les certificats de confiance (PEM, PKCS#12 et JKS), ce qu'il faut configurer dans le
    produit, la matrice des flux (flux.md, flux.csv) et, pour la référence, ses fichiers de
    configuration. Les certificats sont gardés dans le dossier [world] pki du profil : une campagne
    les retrouve.

    Ils écoutent sur 127.0.0.1, ou à l'adresse que donne [world] address du profil pour un produit
    qui est sur une autre machine.

    Une page locale montre ce que tiennent les simulateurs, met et ôte leurs pannes, et ouvre chaque
    échange annoté ; elle n'est servie qu'à cette machine.

    La météo des services sonde la Source du produit et la Source voisine, comme l'ANS le fait ; la
    page montre leur état et leurs derniers signes.

    Avec un port [world] dns, répond aux noms du banc et de mesimagesmedicales.fr, par UDP et TCP ;
    rien de la machine n'est changé : le résolveur du produit transfère ces zones à ce port.

    [bold]Exemples[/bold]

    drimbench init && drimbench serve              puis Ctrl-C

    drimbench serve --profile ma-boite.toml --once
    """
    from bench.profile import read
    from bench.standing import hand_over, standing
    from bench.watching import watched, weather_of
    from drimbench.counter import open_page

    console = Console()
    stop = threading.Event()

    def told(exchange: Exchange) -> None:
        name = exchange.transaction or exchange.protocol
        console.print(
            f"{exchange.utc:%H:%M:%S}  {exchange.peer} > {exchange.actor}  {name}  "
            f"{exchange.outcome.value}  {exchange.reason}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    try:
        with standing(read(profile), output, 1, told) as bed:
            exposure = bed.profile.world.exposure
            if exposure:
                warning = Text(f"Attention : {exposure}.", style="yellow")
                console.print(warning, highlight=False, soft_wrap=True)
            lines, files = hand_over(bed, output.absolute())
            table = output / "configuration.md"
            table.write_text(_page(lines, files, exposure), encoding="utf-8")
            _show(lines, console)
            written = f"Écrit : {table} et {len(files)} fichiers"
            console.print(written, highlight=False, markup=False, soft_wrap=True)
            if not once:
                sky = weather_of(bed)
                page = open_page(bed, bed.profile.world.page, sky if weather else None)
                console.print(f"Page locale : {page.url}", highlight=False, soft_wrap=True)
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, lambda *_: stop.set())
                console.print("Ctrl-C pour arrêter.", style="dim")
                with watched(bed, sky, weather):
                    while not stop.wait(1.0):  # a wait without end hears no Ctrl-C on Windows
                        pass
                page.close()
    except BenchError as error:
        refuse(str(error))
    raise Finished(ExitCode.CONFORM)


def _show(lines: Sequence[Line], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("Qui", "Quoi", "Valeur"):
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(line.who, line.what, line.value)
    console.print(table)


def _page(lines: Sequence[Line], files: Sequence[Path], exposure: str) -> str:
    from bench.standing import TRUST_PASSWORD

    rows = "\n".join(f"| {line.who} | {line.what} | `{line.value}` |" for line in lines)
    written = "\n".join(f"- `{file}`" for file in files)
    warning = f"**Attention** : {exposure}.\n\n" if exposure else ""
    return (
        f"# Ce qu'il faut configurer dans le produit\n\n{warning}"
        f"| Qui | Quoi | Valeur |\n|---|---|---|\n{rows}\n\n"
        "Les noms des lignes « Nom » ne sont connus d'aucun résolveur : le produit les joint à ces "
        "adresses (fichier hosts, sa propre table, ou un transfert vers le DNS du banc).\n\n"
        f"## Fichiers\n\n{written}\n\n"
        f"Mot de passe des magasins PKCS#12 et JKS : `{TRUST_PASSWORD}`.\n"
    )
