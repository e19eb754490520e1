"""Images of a situation put in somebody's PACS, a few at a time, each failure named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bench.archives import Sender
from bench.dataset.prepared import Prepared
from bench.imagery import acquisition
from bench.outcomes import CannotVerify
from protocols.dicom import split_part10
from simulators import modality

__all__ = ["Failure", "Pushed", "images_of", "push"]

_AT_ONCE = 25
"""Images in one association or request: bounds what is in memory."""
_IN_A_ROW = 3
"""Images without any answer after which a PACS is given up."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One image that was not taken, and why, in French."""

    sop_instance: str
    why: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of them: how many were taken, which were not, how many were not even sent."""

    taken: int
    failures: tuple[Failure, ...]
    unsent: int


def images_of(prepared: Prepared) -> Iterator[bytes]:
    """The DICOM files of a situation, made as they are asked for."""
    for exam, plan in zip(prepared.exams, prepared.situation.exams, strict=True):
        yield from modality.make(acquisition(exam, prepared.patient, matrix=plan.matrix))


def push(
    files: Iterable[bytes], total: int, send: Sender, *, progress: Callable[[int, int], None]
) -> Pushed:
    """Send `total` files; when a batch gets no answer, each of it is tried alone, once."""
    stream = iter(files)
    taken, silent, failures = 0, 0, list[Failure]()
    while batch := list(islice(stream, _AT_ONCE)):
        for group in _attempts(batch, send):
            refused, answered = group
            failures += refused
            taken += answered - len(refused) if answered else 0
            silent = 0 if answered else silent + 1
            progress(taken + len(failures), total)
            if silent >= _IN_A_ROW:
                return Pushed(taken, tuple(failures), total - taken - len(failures))
    return Pushed(taken, tuple(failures), 0)


def _attempts(batch: list[bytes], send: Sender) -> Iterator[tuple[list[Failure], int]]:
    """The failures of each attempt, and how many images it got an answer for, 0 for none."""
    try:
        refused = send(batch)
    except CannotVerify:
        for file in batch:
            yield _alone(file, send)
        return
    yield [Failure(uid, why) for uid, why in refused.items()], len(batch)


def _alone(file: bytes, send: Sender) -> tuple[list[Failure], int]:
    try:
        refused = send([file])
    except CannotVerify as error:
        return [Failure(split_part10(file).sop_instance, str(error))], 0
    return [Failure(uid, why) for uid, why in refused.items()], 1
