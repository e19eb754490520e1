"""`drimbench extract`: one message of a run, as the bytes that were on the wire."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import BenchError
from bench.verdicts import ExitCode
from drimbench.ending import Finished, refuse

if TYPE_CHECKING:
    from bench.journal import Journal
    from wire.exchange import Exchange

# As in drimbench.cli, the command imports what it needs when it runs.

__all__ = ["extract"]


def extract(
    run: Annotated[str, typer.Argument(help="Dossier ou nom d'une campagne ; @1 : la dernière.")],
    exchange: Annotated[
        str, typer.Argument(help="Identifiant de l'échange, tel qu'un rapport le donne.")
    ],
    response: Annotated[
        bool, typer.Option("--response", help="La réponse plutôt que la demande.")
    ] = False,
    header: Annotated[
        str, typer.Option(metavar="NOM", help="La seule valeur de cet en-tête HTTP.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="Où l'écrire (sortie standard par défaut).")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Dossier des campagnes.")] = Path("runs"),
) -> None:
    """Tire un message du journal d'une campagne, tel qu'il était sur le fil.

    Un message HTTP garde ses en-têtes ; un message HL7 perd son cadre MLLP. Rien n'y est masqué :
    un jeton reste un jeton.

    [bold]Exemples[/bold]

    drimbench extract @1 bench-4242-87 | drimbench validate iti-41 -

    drimbench extract @1 bench-4242-12 --response --output acquittement.hl7

    drimbench extract @1 bench-4242-90 --header Authorization
    """
    from bench.journal import Journal
    from bench.judge import message
    from bench.runs import find_run

    try:
        found = _exchange(Journal(find_run(run, runs)), exchange)
        payload = found.response if response else found.request
        side = "réponse" if response else "demande"
        if payload is None:
            raise BenchError(f"{exchange} : cet échange n'a pas de {side}")
        if header:
            value = payload.header(header)
            if value is None:
                raise BenchError(f"{exchange} : la {side} n'a pas d'en-tête « {header} »")
            _write(value.encode("latin-1") + b"\n", output)
            raise Finished(ExitCode.CONFORM)
        if payload.truncated or payload.parts:
            kept = f"le journal n'en garde que le début, sur {payload.size} octets"
            raise BenchError(f"{exchange} : {side} incomplète, {kept}")
        data = message(payload) if found.protocol == "HTTP" else payload.body
        _write(data, output)
    except BenchError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{error.filename or output} : {error.strerror}")
    raise Finished(ExitCode.CONFORM)


def _write(data: bytes, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _exchange(journal: Journal, id: str) -> Exchange:
    for event in journal.of("exchange"):
        if event.id == id:
            return journal.exchange(event)
    raise BenchError(f"{id} : aucun échange de ce nom dans {journal.run}")
