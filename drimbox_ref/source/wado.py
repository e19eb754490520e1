"""The WADO-RS service: capabilities, then one answer streamed instance by instance.

Headers leave only once the first instance is there; an answer that cannot be completed is cut,
never ended cleanly. Memory does not grow with the series: one instance at a time, and the PACS
waits for the client. A client that goes away ends the transfer from the PACS.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.access import AccessControl, AccessRequest, Granted, Refused
from drimbox_ref.source.answers import Answer, NoSuchFrame, Piece, answer_to
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import NotTranscodable, RetrievalFailed, StoredObject, Wanted
from drimbox_ref.trail import AuditEvent
from protocols.errors import RemoteProtocolError
from wire.http_server import abort, note, peer_chain

__all__ = ["WadoService"]

_log = logging.getLogger(__name__)

_CHUNK = 1024 * 1024


class _Cut(Exception):
    """The answer began and cannot be completed."""


class WadoService:
    """An ASGI application under the path of `public_url`."""

    def __init__(
        self,
        parts: Parts,
        *,
        public_url: str,
        professions: tuple[str, ...],
        simultaneous: int,
        patience_s: float,
        binding: str = "ignore",
    ) -> None:
        """`simultaneous` transfers at most; one more waits for `patience_s` seconds."""
        self._parts = parts
        self._turns = asyncio.Semaphore(simultaneous)
        self._patience_s = patience_s
        self._access = AccessControl(parts, professions=professions, binding=binding)
        self._root = urlsplit(public_url).path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path.rstrip("/") in (self._root, f"{self._root}/studies") and method in (
            "OPTIONS",
            "GET",
        ):
            note(scope, transaction="capabilities")
            await self._capabilities(scope, receive, send)
        elif not path.startswith(f"{self._root}/studies/"):
            await _answer(404, "Ressource inconnue.")(scope, receive, send)
        elif method != "GET":
            headers = {"Allow": "GET"}
            await _answer(405, "Seule la méthode GET est servie.", headers)(scope, receive, send)
        else:
            note(scope, transaction="WADO-RS")
            await self._retrieve(scope, receive, send)

    async def _capabilities(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DICOM PS3.18 8.9, without token: whoever watches over us has none (DB.SO.103)."""
        accept = _header(scope, "accept")
        media_type, body = self._parts.showcase.describe(as_json="json" in accept)
        await Response(body, media_type=media_type)(scope, receive, send)

    async def _retrieve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(scope, self._root)
        decision = await self._access.decide(request)
        if isinstance(decision, Refused):
            await self._audit(scope, request, decision, decision.message)
            response = _answer(decision.status, decision.message, dict(decision.headers))
            await response(scope, receive, send)
            return
        try:
            await self._stream(scope, receive, send, decision)
        except _Refusal as refusal:
            await self._audit(scope, request, decision, refusal.message, outcome=8)
            headers = {"Retry-After": "5"} if refusal.status == 503 else {}
            await _answer(refusal.status, refusal.message, headers)(scope, receive, send)
        except _Cut as reason:
            await self._audit(scope, request, decision, str(reason), outcome=8)
            _log.warning("WADO-RS %s interrompu : %s", request.path, reason)
            abort(scope)
        else:
            await self._audit(scope, request, decision, "")

    async def _stream(self, scope: Scope, receive: Receive, send: Send, granted: Granted) -> None:
        """Wait for a turn, fetch, prepare and send.

        Raises:
            _Refusal: nothing was sent yet.
            _Cut: the answer began, or nobody waits for it any more.
        """
        gone = asyncio.create_task(_disconnected(receive))
        try:
            async with self._turn(gone):
                await self._serve(scope, send, granted, gone)
        finally:
            gone.cancel()

    @asynccontextmanager
    async def _turn(self, gone: asyncio.Task[None]) -> AsyncGenerator[None, None]:
        """One of the simultaneous transfers (DB.SO.35); a client too many is told to come back."""
        turn = asyncio.ensure_future(self._turns.acquire())
        await asyncio.wait(
            {turn, gone}, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
        )
        if not turn.done():
            turn.cancel()
            if gone.done():
                raise _Cut("le client a fermé la connexion")
            raise _Refusal(503, "Trop de transferts simultanés : réessayer plus tard.")
        try:
            yield
        finally:
            self._turns.release()

    async def _serve(
        self, scope: Scope, send: Send, granted: Granted, gone: asyncio.Task[None]
    ) -> None:
        served = granted.served
        try:
            retrieval = await self._parts.images.open(
                Wanted(
                    pacs=served.entry.pacs,
                    study_uid=served.entry.study_uid,
                    series_uid=served.series_uid,
                    instance_uid=served.instance_uid,
                    instances=served.instances,
                    syntaxes=granted.representation.syntaxes,
                )
            )
        except PeerUnavailable:
            raise _Refusal(502, "Le PACS n'est pas joignable.") from None
        answer = answer_to(
            granted.representation,
            transcoder=self._parts.transcoder,
            frames=granted.resource.frames,
            new_boundary=lambda: f"drimbox-{self._parts.uids.uuid()}",
        )
        try:
            async with aclosing(self._pieces(retrieval.objects(), granted, answer)) as pieces:
                first = await _first(pieces, gone, alone=served.instance_uid is not None)
                await self._send_all(scope, send, answer, first, pieces, gone)
        finally:
            await retrieval.close()

    async def _pieces(
        self, objects: AsyncIterator[StoredObject], granted: Granted, answer: Answer
    ) -> AsyncGenerator[Piece, None]:
        """Each instance stamped, and in a form that the client takes."""
        ins = granted.served.entry.ins

        def prepare(stored: StoredObject) -> Piece:
            return answer.piece(self._parts.stamper.stamp(stored, ins))

        async for stored in objects:
            try:
                yield await asyncio.to_thread(prepare, stored)
            except RemoteProtocolError as error:
                raise RetrievalFailed(f"instance illisible : {error}", gone=False) from error

    async def _send_all(
        self,
        scope: Scope,
        send: Send,
        answer: Answer,
        first: Piece,
        rest: AsyncIterator[Piece],
        gone: asyncio.Task[None],
    ) -> None:
        content_type = answer.content_type(first)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", content_type.encode("ascii")),
                    (b"cache-control", b"no-store"),
                ],
            }
        )
        await _send_piece(send, first, gone)
        try:
            while (piece := await _next(rest, gone)) is not None:
                await _send_piece(send, piece, gone)
        except RetrievalFailed as error:
            raise _Cut(f"série incomplète : {error}") from error
        except (NotTranscodable, NoSuchFrame) as error:
            raise _Cut(f"syntaxe de transfert non acceptée : {error}") from error
        await send({"type": "http.response.body", "body": answer.end(), "more_body": False})

    async def _audit(
        self,
        scope: Scope,
        request: AccessRequest,
        decision: Granted | Refused,
        failure: str,
        outcome: int = 4,
    ) -> None:
        """Image access (DB.SO.46), failures in EventOutcomeDescription (DB.SO.47)."""
        client = scope.get("client")
        await asyncio.to_thread(
            self._parts.audit.record,
            AuditEvent(
                event="ITI-43",
                outcome=outcome if failure else 0,
                description=failure,
                subject=decision.subject,
                patient=_patient(decision),
                peer=f"{client[0]}:{client[1]}" if client else "",
                objects={
                    "path": request.path,
                    "kos": ", ".join(request.all("KOS-SOPInstanceUID"))[:128],
                },
            ),
            now=self._parts.clock.now(),
        )


class _Refusal(Exception):
    """Nothing was sent: the client gets a status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def _next(pieces: AsyncIterator[Piece], gone: asyncio.Task[None]) -> Piece | None:
    """The next piece, None after the last one.

    Raises:
        _Cut: the client went away while it was awaited.
    """
    step = asyncio.ensure_future(anext(pieces, None))
    await asyncio.wait({step, gone}, return_when=asyncio.FIRST_COMPLETED)
    if step.done():
        return step.result()
    step.cancel()
    with suppress(asyncio.CancelledError):
        await step
    raise _Cut("le client a fermé la connexion")


async def _first(pieces: AsyncIterator[Piece], gone: asyncio.Task[None], *, alone: bool) -> Piece:
    """The first piece, on which the status of the answer depends.

    What the PACS no longer has is 410 for an exam or a series, 404 for an instance named `alone`:
    rejected since, it does not exist for a client (IHE RAD-68 family, XDS-I.b sources).
    """
    lost = (404, "Cette instance n'est plus dans le PACS.")
    lost = lost if alone else (410, "Ces images ne sont plus dans le PACS.")
    try:
        piece = await _next(pieces, gone)
    except RetrievalFailed as error:
        if error.gone:
            raise _Refusal(*lost) from None
        raise _Refusal(502, "Le PACS n'a pas fourni les images.") from None
    except NotTranscodable:
        raise _Refusal(
            406, "Les images n'existent dans aucune des syntaxes de transfert que Accept admet."
        ) from None
    except NoSuchFrame:
        raise _Refusal(404, "Cette instance n'a pas autant d'images.") from None
    if piece is None:
        raise _Refusal(*lost)
    return piece


async def _send_piece(send: Send, piece: Piece, gone: asyncio.Task[None]) -> None:
    for buffer in piece.buffers:
        view = memoryview(buffer)
        for start in range(0, len(view), _CHUNK):
            if gone.done():
                raise _Cut("le client a fermé la connexion")
            chunk = bytes(view[start : start + _CHUNK])
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


def _patient(decision: Granted | Refused) -> str:
    """Whose images were asked for, once the checks say which they are."""
    return decision.served.entry.ins.value if isinstance(decision, Granted) else ""


def _request(scope: Scope, root: str) -> AccessRequest:
    chain = peer_chain(scope)
    return AccessRequest(
        path=scope["path"].removeprefix(root),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ),
        peer_certificate=chain[0] if chain else None,
    )


def _header(scope: Scope, name: str) -> str:
    wanted = name.encode("ascii")
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == wanted)


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(
        {"statut": status, "message": message},
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
