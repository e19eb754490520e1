"""The taps of a bed: a real neighbour that is listened to is reached through its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.neighbours import Neighbour
from bench.profile import NeighbourPapers
from simulators.igc import CredentialFiles
from wire.exchange import Direction, Label, Observe
from wire.tap import (
    DimseEar,
    HttpEar,
    MllpEar,
    SealedEar,
    Stored,
    Tap,
    TapTls,
    Witness,
    open_tap,
)
from wire.tls import ClientTls, ServerTls

__all__ = ["tap_dicom", "tap_https", "tap_ris"]


async def tap_https(
    neighbour: Neighbour,
    observe: Observe,
    label: Label,
    port: int,
    papers: NeighbourPapers | None,
    shown: CredentialFiles | None,
    client_ca: Path,
    *,
    host: str = "127.0.0.1",
    announced: str = "",
) -> Tap:
    """In front of an HTTPS neighbour; without papers its bytes stay sealed.

    Args:
        shown: of the neighbour's host, from an authority that the boxes trust.
        client_ca: authorities of what the boxes show, unless the papers name others.

    Raises:
        OSError: the port is taken, or a file cannot be read.
    """
    witness = Witness(actor=neighbour.name, observe=observe)
    towards = neighbour.host, neighbour.port
    if papers is None or shown is None:
        return await open_tap(
            SealedEar, witness, towards, host=host, port=port, announced=announced
        )
    asked = Path(papers.client_ca) if papers.client_ca else client_ca
    tls = TapTls(
        shown=ServerTls(shown.certificate, shown.key, asked, "optional"),
        towards=ClientTls(
            Path(papers.trust),
            Path(papers.certificate) if papers.certificate else None,
            Path(papers.key) if papers.key else None,
        ),
        server_name=neighbour.host,
    )
    told = Witness(actor=neighbour.name, observe=observe, label=label)
    return await open_tap(
        HttpEar, told, towards, host=host, port=port, announced=announced, tls=tls
    )


async def tap_dicom(
    neighbour: Neighbour,
    actor: str,
    observe: Observe,
    port: int,
    stored: Callable[[Stored], None] | None = None,
    *,
    host: str = "127.0.0.1",
    announced: str = "",
) -> Tap:
    """In front of a PACS; `stored` receives what it takes.

    Raises:
        OSError: the port is taken.
    """
    witness = Witness(actor=actor, observe=observe)
    return await open_tap(
        lambda line, told: DimseEar(line, told, stored),
        witness,
        (neighbour.host, neighbour.port),
        host=host,
        port=port,
        announced=announced,
    )


async def tap_ris(
    observe: Observe,
    label: Label,
    port: int,
    source: tuple[str, int],
    *,
    host: str = "127.0.0.1",
    announced: str = "",
) -> Tap:
    """Between a RIS that sends and the Source that receives.

    Raises:
        OSError: the port is taken.
    """
    witness = Witness(
        actor="ris", observe=observe, label=label, direction=Direction.OUT, peer="source"
    )
    return await open_tap(MllpEar, witness, source, host=host, port=port, announced=announced)
