"""The WADO-RS service: capabilities, then one multipart answer streamed part by part.

Headers leave only once the first instance is there; an answer that cannot be completed is cut,
never ended cleanly. Memory does not grow with the series: one instance at a time, and the PACS
waits for the client.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.access import AccessControl, AccessRequest, Granted, Refused
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import RetrievalFailed, StoredObject, Wanted
from drimbox_ref.trail import AuditEvent
from protocols.dicom import file_meta
from protocols.dicomweb import part_headers, response_content_type
from protocols.errors import RemoteProtocolError
from protocols.multipart import Writer
from wire.http_server import abort, note, peer_chain

__all__ = ["WadoService"]

_log = logging.getLogger(__name__)

_CHUNK = 1024 * 1024


class _Cut(Exception):
    """The answer began and cannot be completed."""


class WadoService:
    """An ASGI application under the path of `public_url`."""

    def __init__(self, parts: Parts, *, public_url: str, professions: tuple[str, ...]) -> None:
        self._parts = parts
        self._access = AccessControl(parts, professions=professions)
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
            await _answer(refusal.status, refusal.message)(scope, receive, send)
        except _Cut as reason:
            await self._audit(scope, request, decision, str(reason), outcome=8)
            _log.warning("WADO-RS %s interrompu : %s", request.path, reason)
            abort(scope)
        else:
            await self._audit(scope, request, decision, "")

    async def _stream(self, scope: Scope, receive: Receive, send: Send, granted: Granted) -> None:
        """Fetch, prepare and send.

        Raises:
            _Refusal: nothing was sent yet.
            _Cut: the answer began.
        """
        served = granted.served
        try:
            retrieval = await self._parts.images.open(
                Wanted(
                    pacs=served.entry.pacs,
                    study_uid=served.entry.study_uid,
                    series_uid=served.series_uid,
                    instance_uid=served.instance_uid,
                    instances=served.instances,
                )
            )
        except PeerUnavailable:
            raise _Refusal(502, "Le PACS n'est pas joignable.") from None
        gone = asyncio.create_task(_disconnected(receive))
        try:
            async with aclosing(self._prepared(retrieval.objects(), granted)) as objects:
                first = await _first(objects)
                await self._send_all(scope, send, first, objects, gone)
        finally:
            gone.cancel()
            await retrieval.close()

    async def _prepared(
        self, objects: AsyncIterator[StoredObject], granted: Granted
    ) -> AsyncGenerator[StoredObject, None]:
        """Each instance stamped, and in a syntax that the client takes."""
        async for stored in objects:
            try:
                stamped = await asyncio.to_thread(
                    self._parts.stamper.stamp, stored, granted.served.entry.ins
                )
            except RemoteProtocolError as error:
                raise RetrievalFailed(f"instance illisible : {error}", gone=False) from error
            if not granted.representation.takes(stamped.transfer_syntax):
                raise _NotAcceptable(stamped.transfer_syntax)
            yield stamped

    async def _send_all(
        self,
        scope: Scope,
        send: Send,
        first: StoredObject,
        rest: AsyncIterator[StoredObject],
        gone: asyncio.Task[None],
    ) -> None:
        boundary = f"drimbox-{self._parts.uids.uuid()}"
        writer = Writer(boundary)
        content_type = response_content_type(boundary, transfer_syntax=first.transfer_syntax)
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
        await _send_part(send, writer, first)
        try:
            async for stored in rest:
                if gone.done():
                    raise _Cut("le client a fermé la connexion")
                await _send_part(send, writer, stored)
        except RetrievalFailed as error:
            raise _Cut(f"série incomplète : {error}") from error
        except _NotAcceptable as error:
            raise _Cut(f"syntaxe de transfert non acceptée : {error}") from error
        await send({"type": "http.response.body", "body": writer.end(), "more_body": False})

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


class _NotAcceptable(Exception):
    """The PACS holds the images in a syntax that the client does not take."""


async def _first(objects: AsyncIterator[StoredObject]) -> StoredObject:
    """The first instance, on which the status of the answer depends."""
    try:
        return await anext(objects)
    except StopAsyncIteration:
        raise _Refusal(410, "Ces images ne sont plus dans le PACS.") from None
    except RetrievalFailed as error:
        if error.gone:
            raise _Refusal(410, "Ces images ne sont plus dans le PACS.") from None
        raise _Refusal(502, "Le PACS n'a pas fourni les images.") from None
    except _NotAcceptable as error:
        raise _Refusal(
            406, f"Les images sont en syntaxe de transfert {error}, que Accept n'admet pas."
        ) from None


async def _send_part(send: Send, writer: Writer, stored: StoredObject) -> None:
    meta = file_meta(
        sop_class=stored.sop_class,
        sop_instance=stored.sop_instance,
        transfer_syntax=stored.transfer_syntax,
    )
    headers = part_headers(stored.transfer_syntax, length=len(meta) + len(stored.data))
    head = writer.begin_part(headers) + writer.data(meta)
    await send({"type": "http.response.body", "body": head, "more_body": True})
    view = memoryview(writer.data(stored.data))
    for start in range(0, len(view), _CHUNK):
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
