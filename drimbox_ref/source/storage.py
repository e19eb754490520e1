"""The box's C-STORE listener: each instance goes to the retrieval that asked for it, or nowhere.

A key object that nobody asked for is a note of the PACS, and goes to whoever takes notes.

Several C-MOVEs may be under way: an instance is matched by the Move Originator Message ID of
its request, never by being the only one expected.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Mapping, Sequence

from drimbox_ref.source.values import StoredObject
from protocols.dicomweb import ANY_TRANSFER_SYNTAX
from spec.dicom import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    KEY_OBJECT_SELECTION_STORAGE,
    STORAGE_SOP_CLASSES,
    TRANSFER_SYNTAX_NAMES,
    UNCOMPRESSED_LITTLE_ENDIAN,
)
from wire.dimse import DimseServer, Handlers, StoreRequest, serve_dimse
from wire.exchange import ignore

__all__ = ["RECEIVED_SYNTAXES", "Inlet", "StorageReceiver", "preferred"]

_SUCCESS = 0x0000
_OUT_OF_RESOURCES = 0xA700
_NOT_AUTHORIZED = 0x0124
_QUEUE = 4
"""Instances that wait for the client: what bounds memory, whatever the series."""
_DEFLATED = "1.2.840.10008.1.2.1.99"
_REFUSED_SYNTAXES = frozenset({EXPLICIT_VR_BIG_ENDIAN, _DEFLATED})
"""What WADO-RS cannot carry and the box does not convert."""
RECEIVED_SYNTAXES = tuple(uid for uid in TRANSFER_SYNTAX_NAMES if uid not in _REFUSED_SYNTAXES)
"""What the box takes from a PACS."""


class Inlet:
    """Where one retrieval's instances arrive; lives in the event loop."""

    def __init__(
        self,
        message_id: int,
        instances: frozenset[str],
        *,
        pacs: str = "",
        syntaxes: tuple[str, ...] = (),
    ) -> None:
        self.message_id = message_id
        self.instances = instances
        self.pacs = pacs
        self.syntaxes = syntaxes
        """What the client takes, best first; empty: no preference."""
        self.narrowed = False
        """An association of this PACS was left fewer syntaxes than it proposed."""
        self._queue: asyncio.Queue[StoredObject | None] = asyncio.Queue(_QUEUE)
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def put(self, stored: StoredObject | None) -> bool:
        """Wait for room, then queue an instance (None: no more will come); False when closed."""
        if self._closed:
            return False
        await self._queue.put(stored)
        return not self._closed

    async def get(self) -> StoredObject | None:
        """The next instance, None at the end."""
        return await self._queue.get()

    def widen(self) -> bool:
        """Leave the PACS every syntax from now on; False when nothing was withheld, or no more."""
        if not self.narrowed or self._closed:
            return False
        self.narrowed, self.syntaxes = False, ()
        return True

    def close(self) -> None:
        """Refuse what still comes, and let go whoever waits for room."""
        self._closed = True
        while not self._queue.empty():
            self._queue.get_nowait()

    def take(self, request: StoreRequest, timeout_s: float) -> int:
        """From the association's thread: hand over an instance, waiting for the client.

        Returns the status to answer its C-STORE with.
        """
        if request.sop_instance not in self.instances:
            # The PACS has more than the KOS lists: received, and not served.
            return _SUCCESS
        if self._closed:
            return _OUT_OF_RESOURCES
        stored = StoredObject(
            sop_class=request.sop_class,
            sop_instance=request.sop_instance,
            transfer_syntax=request.transfer_syntax,
            data=request.dataset,
        )
        future = asyncio.run_coroutine_threadsafe(self.put(stored), self._loop)
        try:
            return _SUCCESS if future.result(timeout_s) else _OUT_OF_RESOURCES
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            future.cancel()
            return _OUT_OF_RESOURCES


def preferred(proposed: Sequence[str], takers: Sequence[Sequence[str]]) -> list[str]:
    """The syntaxes to accept of those that a PACS proposes for a SOP class, best first.

    Those that clients rank before uncompressed pixels, then uncompressed, which any PACS that
    proposes it can make of what it holds; what clients rank after it is left out. All of them
    when nothing else remains, or when a client has no preference.
    """
    if not takers or not all(takers) or any(ANY_TRANSFER_SYNTAX in one for one in takers):
        return list(proposed)

    def rank(syntax: str) -> tuple[int, int]:
        places = [taker.index(syntax) for taker in takers if syntax in taker]
        return -len(places), min(places, default=0)

    native = [one for one in UNCOMPRESSED_LITTLE_ENDIAN if one in proposed]
    taken = sorted((one for one in proposed if rank(one)[0] and one not in native), key=rank)
    if native and rank(EXPLICIT_VR_LITTLE_ENDIAN)[0]:
        taken = [one for one in taken if rank(one) < rank(EXPLICIT_VR_LITTLE_ENDIAN)]
    return [*taken, *native] or list(proposed)


class StorageReceiver:
    """The application entity that the PACS sends to."""

    def __init__(self, *, ae_title: str, timeout_s: float) -> None:
        self._ae_title = ae_title
        self._timeout = timeout_s
        self._inlets: dict[int, Inlet] = {}
        self._last_id = 0
        self._lock = threading.Lock()
        self._server: DimseServer | None = None
        self._notes: Callable[[StoreRequest], int] | None = None

    def start(
        self, host: str, port: int, *, notes: Callable[[StoreRequest], int] | None = None
    ) -> int:
        """Listen; the port bound. `notes` takes the key objects that no C-MOVE asked for."""
        self._notes = notes
        self._server = serve_dimse(
            Handlers(store=self._store),
            ae_title=self._ae_title,
            actor="source",
            observe=ignore,
            host=host,
            port=port,
            storage=dict.fromkeys(STORAGE_SOP_CLASSES, RECEIVED_SYNTAXES),
            check_called_ae=True,
            negotiate=self._negotiate,
            timeout=self._timeout,
        )
        return self._server.port

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.stop()

    def open(
        self, instances: frozenset[str], *, pacs: str = "", syntaxes: tuple[str, ...] = ()
    ) -> Inlet:
        """A new inlet, with a message id that no other retrieval under way has."""
        with self._lock:
            for _ in range(0xFFFF):
                self._last_id = self._last_id % 0xFFFF + 1
                if self._last_id not in self._inlets:
                    break
            inlet = Inlet(self._last_id, instances, pacs=pacs, syntaxes=syntaxes)
            self._inlets[inlet.message_id] = inlet
            return inlet

    def close(self, inlet: Inlet) -> None:
        """Forget an inlet; what still comes for it is refused."""
        with self._lock:
            self._inlets.pop(inlet.message_id, None)
        inlet.close()

    def _negotiate(
        self, calling_ae: str, proposed: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Sequence[str]]:
        """What is accepted of an association, and in which order (DB.SO.85).

        Which retrieval it serves is known with its first C-STORE only: those under way with that
        PACS decide together.
        """
        with self._lock:
            inlets = list(self._inlets.values())
        inlets = [one for one in inlets if one.pacs == calling_ae] or inlets
        chosen = {
            name: preferred(syntaxes, [one.syntaxes for one in inlets])
            for name, syntaxes in proposed.items()
        }
        if any(len(chosen[name]) < len(syntaxes) for name, syntaxes in proposed.items()):
            for one in inlets:
                one.narrowed = True
        return chosen

    def _store(self, request: StoreRequest) -> int:
        inlet = self._inlet(request)
        if inlet is None:
            if (
                self._notes is not None
                and request.sop_class == KEY_OBJECT_SELECTION_STORAGE
                and request.move_originator_message_id is None
            ):
                return self._notes(request)
            return _NOT_AUTHORIZED
        return inlet.take(request, self._timeout)

    def _inlet(self, request: StoreRequest) -> Inlet | None:
        number = request.move_originator_message_id
        with self._lock:
            if number is not None:
                return self._inlets.get(number)
            # Some archives leave the originator out: then only an instance that exactly one
            # retrieval wants can be attributed.
            wanting = [
                inlet for inlet in self._inlets.values() if request.sop_instance in inlet.instances
            ]
            return wanting[0] if len(wanting) == 1 else None
