"""`drimbench pacs-speed`: how fast a PACS gives images, measured as DB.SO.102 asks of a Source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.verdicts import ExitCode
from drimbench.ending import Finished, print_json, refuse

if TYPE_CHECKING:
    from drimbox_ref.source.pacs_speed import Speed

__all__ = ["pacs_speed"]


def pacs_speed(
    pacs: Annotated[str, typer.Argument(help="Le PACS : AE@hôte:port.", show_default=False)],
    study: Annotated[str, typer.Option(help="Study Instance UID de l'examen demandé.")],
    series: Annotated[str, typer.Option(help="Une de ses séries seule.")] = "",
    ae_title: Annotated[
        str, typer.Option("--aet", help="AE par laquelle le PACS nous connaît.")
    ] = "DRIMBOX",
    listen: Annotated[
        str, typer.Option(help="hôte:port où le PACS nous envoie les images (C-MOVE).")
    ] = "0.0.0.0:11112",
    times: Annotated[int, typer.Option(min=1, max=100, help="Combien de fois.")] = 3,
    timeout: Annotated[float, typer.Option(min=1, help="Secondes de silence tolérées.")] = 60.0,
    as_json_: Annotated[
        bool, typer.Option("--json", help="Un seul document JSON sur la sortie standard.")
    ] = False,
) -> None:
    """Mesure un PACS par C-MOVE : délai de la première image, débit (DB.SO.102).

    À faire hors des heures de production : les images sont demandées pour de bon, puis jetées. Le
    PACS doit connaître notre AE à cette adresse.

    [bold]Exemples[/bold]

    drimbench pacs-speed PACS@10.0.0.5:11112 --study 1.2.3 --aet DRIMBOX --listen 0.0.0.0:11113

    drimbench pacs-speed PACS@10.0.0.5:11112 --study 1.2.3 --times 10 --json
    """
    from drimbox_ref.source.pacs_speed import SpeedError, measure
    from wire.dimse import DimsePeer
    from wire.progress import Progress

    title, _, address = pacs.rpartition("@")
    host, port = _address(address, "PACS", pacs)
    here, own = _address(listen, "--listen", listen)
    if not title:
        refuse(f"PACS : attendu AE@hôte:port, trouvé {pacs!r}")
    if len(ae_title) > 16 or not ae_title.isascii() or not ae_title.strip():
        refuse(f"--aet : attendu 16 caractères ASCII au plus, trouvé {ae_title!r}")
    try:
        with Progress("C-MOVE", times) as progress:
            speed = measure(
                DimsePeer(host, port, title),
                ae_title=ae_title,
                host=here,
                port=own,
                study=study,
                series=series,
                times=times,
                timeout_s=timeout,
                told=progress.to,
            )
    except SpeedError as error:
        Console(stderr=True, highlight=False).print(f"drimbench : {error}", markup=False)
        raise Finished(ExitCode.FAIL) from None
    if as_json_:
        print_json(_document(speed))
    else:
        _print(speed)


def _address(written: str, what: str, whole: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        refuse(f"{what} : attendu hôte:port, trouvé {whole!r}")
    return host.strip("[]"), int(port)


def _document(speed: Speed) -> dict[str, object]:
    return {
        "first_image_s": speed.first_s,
        "megabits_s": speed.megabits_s,
        "transcoded": sorted(speed.transcoded),
        "stored": sorted(speed.stored),
        "retrievals": [
            {
                "first_image_s": one.first_s,
                "whole_s": one.whole_s,
                "bytes": one.size,
                "instances": one.count,
                "megabits_s": one.megabits_s,
                "transfer_syntaxes": dict(one.syntaxes),
            }
            for one in speed.retrievals
        ],
    }


def _print(speed: Speed) -> None:
    from spec.dicom import TRANSFER_SYNTAX_NAMES

    def named(uid: str) -> str:
        return TRANSFER_SYNTAX_NAMES.get(uid, uid)

    console = Console(highlight=False)
    table = Table()
    for title in ("C-MOVE", "1re image", "En tout", "Images", "Mo", "Mbit/s", "Syntaxes"):
        table.add_column(title, justify="left" if title == "Syntaxes" else "right")
    for number, one in enumerate(speed.retrievals, 1):
        table.add_row(
            str(number),
            f"{one.first_s:.2f} s",
            f"{one.whole_s:.2f} s",
            str(one.count),
            f"{one.size / 1e6:.1f}",
            f"{one.megabits_s:.0f}",
            ", ".join(map(named, sorted(one.syntaxes))),
        )
    console.print(table)
    console.print(
        f"Première image en {speed.first_s:.2f} s, {speed.megabits_s:.0f} Mbit/s (médianes)."
    )
    if speed.transcoded:
        made = ", ".join(map(named, sorted(speed.transcoded)))
        console.print(f"Le PACS a transcodé pour nous : {made}. Le débit est aussi celui-là.")
    elif not speed.stored:
        console.print(
            "Le PACS ne dit pas dans quelle syntaxe il garde les images : s'il les a transcodées, "
            "rien ne le montre."
        )
