"""The DMP as a running actor: HTTPS with mutual TLS in front, SQLite behind, both restartable."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from protocols.ebrim import Association, Code, DocumentEntry
from protocols.hl7types import CX, HD
from simulators.dmp.bearer import ApiAccess, BearerRefused, check_bearer, token_keys
from simulators.dmp.config import DmpConfig
from simulators.dmp.faults import link_for, refused_handshake
from simulators.dmp.patients import Patient
from simulators.dmp.service import Reply, Service, named
from simulators.dmp.store import Store, Stored
from spec.dmp import API_PREFIX, MASKING_SCHEME, REPOSITORY_OID, Masking, ServicePath
from spec.xds import Status
from wire.exchange import Observe
from wire.faults import Faults
from wire.http_server import HttpServer, impaired, note, peer_chain, serve_http
from wire.listening import authority

__all__ = ["Dmp", "build"]


def build(config: DmpConfig, observe: Observe) -> Dmp:
    """A DMP with its test patients, not yet listening."""
    return Dmp(config, observe)


class Dmp:
    """One DMP. Its methods of inspection are synchronous and safe from any thread."""

    def __init__(self, config: DmpConfig, observe: Observe) -> None:
        self._config = config
        self._observe = observe
        self._store = Store(config.database)
        with self._store.writing() as session:
            if not session.has_patients():
                for patient in config.patients:
                    session.put_patient(patient)
        self._service = Service(config, self._store)
        self._server: HttpServer | None = None
        self._port = config.port
        self.app = Starlette(
            routes=[
                *(Route(path, self._endpoint(path), methods=["POST"]) for path in ServicePath),
                *(
                    Route(API_PREFIX + path, self._endpoint(path, config.api), methods=["POST"])
                    for path in ServicePath
                    if config.api is not None
                ),
            ]
        )

    # Life

    async def start(self) -> None:
        """Listen. Port 0 takes a free one, kept over `restart`.

        Raises:
            OSError: the port is taken.
        """
        if self._server is not None:
            return
        self._server = await serve_http(
            self.app,
            actor="dmp",
            observe=self._observe,
            tls=self._config.tls,
            greet=lambda: refused_handshake(self.faults),
            host=self._config.host,
            port=self._port,
        )
        self._port = self._server.port

    async def stop(self) -> None:
        """Let current answers end, stop listening and release the database. Faults are over."""
        self.faults.clear()
        await self._stop(grace=5.0)
        self._store.close()

    async def kill(self) -> None:
        """Drop every connection and stop listening; what was committed stays."""
        await self._stop(grace=0.0)

    async def restart(self) -> None:
        """After `kill`: listen again on the same port, on the same database."""
        await self.start()

    async def _stop(self, *, grace: float) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace=grace)

    @property
    def url(self) -> str:
        """`https://host:port/si-dmp-server/v2/services`, also while it is down."""
        root = ServicePath.REGISTRY.value.rpartition("/")[0]
        return f"https://{authority(self._config.announced or self._config.host, self._port)}{root}"

    @property
    def api_url(self) -> str:
        """The same services with an API token; "" when there is no such door."""
        if self._config.api is None:
            return ""
        return self.url.replace("/si-dmp-server", f"{API_PREFIX}/si-dmp-server")

    @property
    def listening(self) -> bool:
        """Whether it answers; not between `kill` and `restart`."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port, 0 before the first start."""
        return self._port

    # Scenarios

    @property
    def faults(self) -> Faults:
        """How it misbehaves, handshake by handshake and request by request."""
        return self._service.faults

    def register_patient(self, patient: Patient) -> None:
        """Add a patient, or change the one of that INS."""
        with self._store.writing() as session:
            session.put_patient(patient)

    def patient(self, matricule: str, oid: str) -> Patient | None:
        """The patient of that INS."""
        with self._store.reading() as session:
            return session.patient(CX(matricule, HD(oid)))

    def patients(self) -> tuple[Patient, ...]:
        """Everybody whom it knows."""
        with self._store.reading() as session:
            return session.patients()

    def documents(self, matricule: str = "", oid: str = "") -> tuple[Stored, ...]:
        """What was published for a patient, or for everybody, oldest first, all statuses."""
        with self._store.reading() as session:
            entries = session.entries(CX(matricule, HD(oid)) if matricule else None)
            return tuple(
                Stored(entry, session.content(entry.unique_id) or b"") for entry in entries
            )

    def deposit(self, entry: DocumentEntry, content: bytes, matricule: str, oid: str) -> str:
        """Hold a document that somebody published before the run; returns its entryUUID.

        Réf.: a Consumer may be tested from preloaded KOS (ANS FAQ, grade: faq).
        """
        uuid = f"urn:uuid:{self._config.uuid()}"
        held = replace(
            entry,
            id=uuid,
            logical_id=uuid,
            version="1",
            status=Status.APPROVED,
            hash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            size=str(len(content)),
            repository_unique_id=REPOSITORY_OID,
        )
        with self._store.writing() as session:
            session.add_entry(held, CX(matricule, HD(oid)), content)
        return uuid

    def hide(self, unique_id: str, mask: Masking) -> str:
        """Somebody masks a document by the DMP's own pages (TD3.3a); returns its new entryUUID.

        The entryUUID changes at every metadata update, the uniqueId and the logicalId stay
        (IG-FHIR-PDSM4DMP-EEDS, "exemples d'usage", grade: standard). The version before, which is
        then deprecated, is not kept.

        Raises:
            KeyError: it holds no such document.
        """
        with self._store.writing() as session:
            entry = session.entry_of_document(unique_id)
            if entry is None:
                raise KeyError(unique_id)
            revised = replace(
                entry,
                id=self._config.uuid().urn,
                version=str(int(entry.version or 1) + 1),
                confidentiality_codes=(
                    *entry.confidentiality_codes,
                    Code(mask.value, MASKING_SCHEME),
                ),
            )
            session.revise_entry(entry.id, revised)
        return revised.id

    def entry(self, unique_id: str) -> DocumentEntry | None:
        """The entry of a document."""
        with self._store.reading() as session:
            return session.entry_of_document(unique_id)

    def associations(self, object_ids: Iterable[str]) -> tuple[Association, ...]:
        """The associations from or to any of these objects, by entryUUID."""
        with self._store.reading() as session:
            return session.associations(object_ids)

    # Requests

    def _endpoint(self, path: ServicePath, api: ApiAccess | None = None) -> _Endpoint:
        return _Endpoint(path, self._service, self._config, api)


class _Endpoint:
    """One service's path: an ASGI application, because a cut answer needs the scope."""

    def __init__(
        self, path: ServicePath, service: Service, config: DmpConfig, api: ApiAccess | None
    ) -> None:
        self._path = path
        self._service = service
        self._config = config
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        data = bytearray()
        try:
            async for chunk in request.stream():
                data += chunk
                if len(data) > self._config.options.max_request:
                    await Response(status_code=413)(scope, receive, send)
                    return
        except ClientDisconnect:
            return  # nobody is left to answer, and nothing was begun
        if self._api is not None and (refused := self._stranger(request, self._api)):
            await refused(scope, receive, send)
            return
        reply = await asyncio.to_thread(
            self._service.answer,
            self._path,
            request.headers.get("content-type", ""),
            bytes(data),
        )
        note(scope, transaction=reply.transaction, detail=reply.detail, keys=reply.keys)
        await _send(reply, scope, receive, send)

    def _stranger(self, request: Request, api: ApiAccess) -> Response | None:
        """The refusal of who has no good token; None when it is good."""
        shown = request.headers.getlist("authorization")
        note(request.scope, transaction=named(self._path, None), keys=token_keys(shown))
        certificate = next(iter(peer_chain(request.scope)), b"")
        try:
            check_bearer(shown, certificate, api, now=self._config.clock())
        except BearerRefused as refused:
            note(request.scope, detail="jeton refusé")
            said = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(
                said, status_code=refused.status, headers={"www-authenticate": refused.challenge}
            )
        return None


async def _send(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    app: ASGIApp = Response(
        reply.body, status_code=reply.status, headers={"content-type": reply.content_type}
    )
    if reply.more_mib:
        headers = {"content-type": reply.content_type}
        app = StreamingResponse(_endless(reply), status_code=reply.status, headers=headers)
    struck = reply.struck
    if struck is not None:
        if struck.delay_s:
            await struck.release.pause(struck.delay_s)
        link = link_for(struck, len(reply.body))
        app = app if link is None else impaired(app, link)
    await app(scope, receive, send)


async def _endless(reply: Reply) -> AsyncIterator[bytes]:
    """The answer but its last bytes, then blanks; who goes on reading has them all."""
    yield reply.body[:-8]
    blanks = b" " * (256 * 1024)
    for _ in range(4 * reply.more_mib):
        yield blanks
        # Once the peer has gone nothing else waits: the loop must be let to notice.
        await asyncio.sleep(0)
    yield reply.body[-8:]
