"""What applications and the DIMSE adapter say to each other: requests, answers, failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wire.impairment import Link

__all__ = [
    "PENDING",
    "SUCCESS",
    "WARNING_SUBOPERATIONS",
    "AbortAssociation",
    "AssociationInfo",
    "AssociationRefusal",
    "Cancellation",
    "DimseFailure",
    "DimsePeer",
    "DimseRefusal",
    "FindRequest",
    "GetPlan",
    "Handlers",
    "MovePlan",
    "MoveRequest",
    "MoveResult",
    "Outgoing",
    "StoreRequest",
    "is_failure",
]

SUCCESS = 0x0000
PENDING = 0xFF00
WARNING_SUBOPERATIONS = 0xB000
"""C-MOVE: sub-operations complete, one or more failures (PS3.4 C.4.2.1.5)."""

Dataset = Any
"""A `pydicom.dataset.Dataset`."""


@dataclass(frozen=True, slots=True)
class DimsePeer:
    """A remote application entity. `name` is what the journal calls it."""

    host: str
    port: int
    ae_title: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationInfo:
    """Who is opposite, and on which connection."""

    calling_ae: str
    called_ae: str
    address: str
    port: int
    connection: str
    impair: Callable[[Link], None] = lambda _: None
    """Let the answer to this request leave through that link; before it is accepted, all that the
    association answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRequest:
    """A C-FIND request."""

    identifier: Dataset
    raw: bytes
    """The identifier as it came."""
    transfer_syntax: str
    model: str
    """`STUDY` or `PATIENT`."""
    message_id: int
    association: AssociationInfo
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRequest:
    """A C-MOVE request, or a C-GET."""

    identifier: Dataset
    raw: bytes
    transfer_syntax: str
    model: str
    destination: str
    """The AE title to send to; "" for a C-GET: back to who asks."""
    message_id: int
    association: AssociationInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """A C-STORE request: the data set as it came, not decoded."""

    dataset: bytes
    transfer_syntax: str
    sop_class: str
    sop_instance: str
    message_id: int
    move_originator_ae: str
    """Who asked for the C-MOVE that this is a sub-operation of, else ""."""
    move_originator_message_id: int | None
    association: AssociationInfo

    @property
    def calling_ae(self) -> str:
        """The AE title of the sender."""
        return self.association.calling_ae


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An instance to send; its bytes are asked for only when its turn comes."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset: Callable[[], bytes]
    also: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """Other transfer syntaxes in which it can be had: used, in order, where the first is not
    accepted."""
    fails: bool = False
    """It is not sent: its sub-operation has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What a C-MOVE provider sends and where.

    Iterating `instances` may raise `DimseRefusal` (the move ends with that status and the
    counters reached) or `AbortAssociation`.
    """

    destination: DimsePeer
    count: int
    instances: Iterable[Outgoing]
    contexts: Sequence[tuple[str, str]]
    """`(SOP class, transfer syntax)` of what will be sent."""
    excess: int = 0
    """Added to the number of completed sub-operations that the responses tell."""
    link: Link | None = None
    """What the instances leave through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPlan:
    """What a C-GET provider sends back. Iterating `instances` may raise as for a `MovePlan`."""

    count: int
    instances: Iterable[Outgoing]
    excess: int = 0
    """As for a `MovePlan`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """How a C-MOVE or a C-GET ended: final status and sub-operation counters."""

    status: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    remaining: int = 0
    failed_instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What a provider does. C-ECHO is always answered; a missing handler is not negotiated.

    They run in the association's thread. `admit` is asked before an association is accepted, and
    may raise `AssociationRefusal` or `AbortAssociation`. `find` yields identifiers and may raise
    `DimseRefusal` or `AbortAssociation` at any point, as may the others.
    """

    find: Callable[[FindRequest], Iterable[Dataset]] | None = None
    move: Callable[[MoveRequest], MovePlan] | None = None
    get: Callable[[MoveRequest], GetPlan] | None = None
    store: Callable[[StoreRequest], int] | None = None
    """Returns the status."""
    echo: Callable[[AssociationInfo], int] | None = None
    """Returns the status; success without it."""
    admit: Callable[[AssociationInfo], None] | None = None


class Cancellation:
    """Asks for the end of an operation under way, from any thread; asking twice changes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ways: list[Callable[[], None]] = []
        self._asked = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether the end was asked for."""
        return self._asked.is_set()

    def request(self) -> None:
        """End what is under way; what begins later ends at once."""
        with self._lock:
            if self._asked.is_set():
                return
            self._asked.set()
            ways = list(self._ways)
        for way in ways:
            way()

    def by(self, way: Callable[[], None]) -> None:
        """`way` is how the operation that begins now is ended; called now when already asked."""
        with self._lock:
            self._ways = [way]
            asked = self._asked.is_set()
        if asked:
            way()


class DimseRefusal(Exception):
    """Raised by a handler to answer with a failure status and a comment."""

    def __init__(self, status: int, comment: str = "") -> None:
        super().__init__(f"0x{status:04X} {comment}".rstrip())
        self.status = status
        self.comment = comment


class AssociationRefusal(Exception):
    """Raised by a handler to answer A-ASSOCIATE-RJ: result, source and reason of PS3.8 9.3.4."""

    def __init__(self, result: int, source: int, reason: int) -> None:
        super().__init__(f"A-ASSOCIATE-RJ {result}/{source}/{reason}")
        self.result = result
        self.source = source
        self.reason = reason


class AbortAssociation(Exception):
    """Raised by a handler to send A-ABORT instead of an answer."""


class DimseFailure(Exception):
    """An operation that did not succeed, after it was observed.

    Attributes:
        kind: `refused` (no connection, association rejected, no presentation context), `aborted`,
            `timeout`, or `status` (answered by a failure status).
        status: the failure status, None when there was no answer.
        comment: Error Comment of the answer, or the reason.
        result: of a C-MOVE, the counters of its final response.
    """

    def __init__(
        self,
        kind: Literal["refused", "aborted", "timeout", "status"],
        comment: str,
        *,
        status: int | None = None,
        result: MoveResult | None = None,
    ) -> None:
        shown = comment if status is None else f"0x{status:04X} {comment}".rstrip()
        super().__init__(f"{kind} : {shown}")
        self.kind = kind
        self.status = status
        self.comment = comment
        self.result = result


def is_failure(status: int) -> bool:
    """Whether a status is neither success, nor pending, nor a warning (PS3.7 Annex C)."""
    warning = status in (0x0001, 0x0107, 0x0116) or status >> 12 == 0xB
    return not (status in (SUCCESS, PENDING, 0xFF01) or warning)
