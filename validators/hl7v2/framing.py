"""MLLP as a capture shows it: which blocks, and every byte that is out of place.

The decoder of the protocol floor forgives, because a listener must go on; here nothing is
forgiven, and every fault has its place.

Réf. HL7 Transport Specification: MLLP, release 1, grade: standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from protocols.errors import RemoteProtocolError

__all__ = ["Block", "Capture", "Fault", "FaultKind", "MllpSyntaxError", "capture", "is_framed"]

_START = b"\x0b"
_END = b"\x1c\r"
_BLANK = b"\r\n"
_MAX_FAULTS = 100
_MAX_BLOCKS = 10_000


class MllpSyntaxError(RemoteProtocolError):
    """There is no MLLP block here."""


class FaultKind(Enum):
    """What can be wrong with a stream of blocks."""

    JUNK = "des octets sont hors de tout bloc"
    BLANK = "des fins de ligne sont hors de tout bloc"
    UNENDED = "le bloc n'est pas terminé par 0x1C 0x0D"
    NO_RETURN = "le 0x0D manque derrière 0x1C"
    RESTARTED = "un bloc commence avant la fin du précédent"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and the bytes concerned, first and past the end."""

    kind: FaultKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """What one block holds, ended or not, and where it begins in the stream."""

    data: bytes
    start: int


@dataclass(frozen=True, slots=True)
class Capture:
    """A stream: at least one block, and its faults in order (the first hundred)."""

    blocks: tuple[Block, ...]
    faults: tuple[Fault, ...]

    @property
    def first(self) -> bytes:
        """The bytes of the first block."""
        return self.blocks[0].data


def is_framed(data: bytes) -> bool:
    """Whether the bytes begin as a block does."""
    return data.startswith(_START)


def capture(data: bytes) -> Capture:
    """Cut a stream into its blocks.

    Raises:
        MllpSyntaxError: no start byte anywhere, or more than ten thousand blocks.
    """
    blocks: list[Block] = []
    faults: list[Fault] = []
    position = data.find(_START)
    if position < 0:
        raise MllpSyntaxError("aucun bloc MLLP (0x0B)", span=(0, min(len(data), 1)))
    _outside(data, 0, position, faults)
    while position >= 0:
        if len(blocks) == _MAX_BLOCKS:
            raise MllpSyntaxError(f"plus de {_MAX_BLOCKS} blocs MLLP", span=(position, len(data)))
        restart = data.find(_START, position + 1)
        limit = len(data) if restart < 0 else restart
        end = data.find(_END, position + 1, limit)
        if end < 0:
            blocks.append(Block(_unended(data, position, limit, restart, faults), position))
        else:
            blocks.append(Block(data[position + 1 : end], position))
            _outside(data, end + len(_END), limit, faults)
        position = restart
    return Capture(tuple(blocks), tuple(faults[:_MAX_FAULTS]))


def _outside(data: bytes, start: int, end: int, faults: list[Fault]) -> None:
    if end > start:
        blank = not data[start : min(end, start + 64)].strip(_BLANK) and end - start <= 64
        faults.append(Fault(FaultKind.BLANK if blank else FaultKind.JUNK, start, end))


def _unended(data: bytes, start: int, limit: int, restart: int, faults: list[Fault]) -> bytes:
    """The content of a block without end, as much of it as can be read."""
    lone = data.rfind(b"\x1c", start + 1, limit)
    if lone >= 0 and not data[lone + 1 : min(limit, lone + 64)].strip(_BLANK):
        faults.append(Fault(FaultKind.NO_RETURN, lone, limit))
        return data[start + 1 : lone]
    kind = FaultKind.UNENDED if restart < 0 else FaultKind.RESTARTED
    faults.append(Fault(kind, start, limit))
    return data[start + 1 : limit]
