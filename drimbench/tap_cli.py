"""`drimbench tap`: a bad network in front of any service, and what passes on it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.verdicts import ExitCode
from drimbench.ending import Finished, refuse

if TYPE_CHECKING:
    from wire.exchange import Exchange
    from wire.tap import Network

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["tap"]


class Listener(StrEnum):
    """What is made of the bytes that pass."""

    OCTETS = "octets"
    HTTP = "http"
    MLLP = "mllp"
    DIMSE = "dimse"


class Direction(StrEnum):
    """Whose bytes are broken."""

    DEMANDE = "demande"
    REPONSE = "reponse"


def tap(
    listen: Annotated[str, typer.Argument(help="Où écouter : hôte:port (port 0 : un port libre).")],
    towards: Annotated[str, typer.Argument(help="Le service joint : hôte:port.")],
    network: Annotated[
        str, typer.Option("--reseau", help="fibre, adsl, 4g, site-charge ; un bon fil sinon.")
    ] = "",
    rtt: Annotated[
        float | None, typer.Option(min=0, help="Aller-retour, en millisecondes.")
    ] = None,
    down: Annotated[
        float | None, typer.Option(min=0, help="Débit des réponses, en Mbit/s (0 : libre).")
    ] = None,
    up: Annotated[
        float | None, typer.Option(min=0, help="Débit des demandes, en Mbit/s (0 : libre).")
    ] = None,
    cut: Annotated[
        int | None,
        typer.Option("--coupe", min=0, help="Rompre la connexion après tant d'octets."),
    ] = None,
    close: Annotated[
        int | None,
        typer.Option("--ferme", min=0, help="Fermer ce seul sens après tant d'octets."),
    ] = None,
    corrupt: Annotated[
        int | None, typer.Option("--corrompt", min=0, help="Inverser l'octet de ce rang.")
    ] = None,
    side: Annotated[
        Direction, typer.Option("--sens", help="Les octets abîmés : demande ou réponse.")
    ] = Direction.REPONSE,
    protocol: Annotated[
        Listener, typer.Option("--protocole", help="Ce qui est lu au passage ; en TLS : octets.")
    ] = Listener.OCTETS,
    output: Annotated[
        Path | None, typer.Option(help="Dossier du journal (runs/tap-… par défaut).")
    ] = None,
) -> None:
    """Met un réseau choisi devant un service, et consigne ce qui passe au journal.

    Les connexions d'une même prise partagent le débit, comme un accès. Rien n'est perdu ni
    réordonné : seul ce qui est demandé (--coupe, --ferme, --corrompt, compté par connexion) abîme
    les octets. Pendant qu'elle tourne, une ligne tapée change le réseau : un nom, ou « libre ».

    [bold]Exemples[/bold]

    drimbench tap 127.0.0.1:8443 127.0.0.1:443 --reseau adsl

    drimbench tap 127.0.0.1:2576 127.0.0.1:2575 --protocole mllp --coupe 100 --sens demande

    drimbench tap 127.0.0.1:8080 127.0.0.1:80 --protocole http --rtt 200 --down 2 --up 1
    """
    from bench.chaos import tapped

    here, there = _address(listen, "ÉCOUTE", 0), _address(towards, "SERVICE", 1)
    asked = _network(network, rtt, down, up, side, cut, close, corrupt)
    folder = output or Path("runs") / f"tap-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    console = Console(highlight=False)

    def told(exchange: Exchange) -> None:
        console.print(
            f"{exchange.utc:%H:%M:%S}  {exchange.peer}  {exchange.transaction or exchange.protocol}"
            f"  {exchange.outcome.value}  {exchange.reason}",
            markup=False,
            soft_wrap=True,
        )

    def noted(what: str) -> None:
        console.print(f"          {what}", markup=False)

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with tapped(here, there, protocol.value, asked, folder, told, noted) as (opened, change):
            console.print(
                f"prise {opened.host}:{opened.port} vers {towards}, journal {folder}",
                markup=False,
                soft_wrap=True,
            )
            threading.Thread(
                target=_listen_to_orders, args=(asked, change, console), daemon=True
            ).start()
            while not stop.wait(1.0):  # a wait without end hears no Ctrl-C on Windows
                pass
    except OSError as error:
        refuse(f"{listen} : {error}")
    raise Finished(ExitCode.CONFORM)


def _listen_to_orders(asked: Network, change: Callable[[Network], None], console: Console) -> None:
    """Each line of the standard input is a network; its end is no order."""
    from dataclasses import replace

    from bench.chaos import shape_of
    from spec.networks import NETWORKS
    from wire.tap import Shape

    for line in sys.stdin:
        name = line.strip()
        if name == "libre":
            change(replace(asked, shape=Shape()))
        elif name in NETWORKS:
            change(replace(asked, shape=shape_of(NETWORKS[name])))
        else:
            known = ", ".join(["libre", *NETWORKS])
            console.print(f"réseau attendu : {known} ; trouvé {name!r}", markup=False)
            continue
        console.print(f"réseau : {name}", markup=False)


def _network(
    name: str,
    rtt: float | None,
    down: float | None,
    up: float | None,
    side: Direction,
    cut: int | None,
    close: int | None,
    corrupt: int | None,
) -> Network:
    """What was asked: a named network, changed by what is given beside it."""
    from dataclasses import replace

    from bench.chaos import shape_of
    from spec.networks import NETWORKS
    from wire.tap import Breakage, Network, Shape, Side

    if name and name not in NETWORKS:
        refuse(f"--reseau : un de {', '.join(NETWORKS)} attendu, « {name} » trouvé")
    shape = shape_of(NETWORKS[name]) if name else Shape()
    if rtt is not None:
        shape = replace(shape, latency_s=rtt / 2000)
    if down is not None:
        shape = replace(shape, down_bps=round(down * 1e6))
    if up is not None:
        shape = replace(shape, up_bps=round(up * 1e6))
    breakage = Breakage(
        side=Side.CALLER if side is Direction.DEMANDE else Side.CALLED,
        cut_after=cut,
        close_after=close,
        corrupt_at=corrupt,
    )
    return Network(shape=shape, breakage=breakage)


def _address(written: str, what: str, least: int) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not least <= int(port) < 65536:
        refuse(f"{what} : attendu hôte:port, trouvé {written!r}")
    return host.strip("[]"), int(port)
