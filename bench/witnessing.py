"""A port of the bench's that an attack leads to: who comes there was led."""

from __future__ import annotations

from bench.bed import Bed
from bench.outcomes import CannotVerify
from wire.listening import authority
from wire.witness import Witness, listen

__all__ = ["address", "begun", "held"]


def held(bed: Bed) -> Witness:
    """A port that remembers who came, and that was seen to; `bed.call(it.stop)` closes it.

    Raises:
        CannotVerify: no port can be held at the world's address, or it does not see who comes.
    """
    world = bed.profile.world
    try:
        witness = bed.call(listen, world.address)
    except OSError as error:
        raise CannotVerify(f"aucun port à tenir sur {world.address} : {error}") from error
    bed.call(witness.knock)
    if not witness.visits:
        raise CannotVerify("le port du banc ne voit pas qui y vient")
    witness.visits.clear()
    return witness


def address(bed: Bed, witness: Witness) -> str:
    """`host:port`, as a box reaches it."""
    return authority(bed.profile.world.announced, witness.port)


def begun(came: list[bytes]) -> str:
    """How the first who came began."""
    return f"({came[0][:40]!r})" if came else ""
