"""The audit trail sent on to an audit record repository, by syslog over TLS (DB.CS.96).

Each record is sent in the order of the chain, at least once: what was sent is noted in the state. A
repository does not acknowledge (RFC 5425): what a connection that breaks held is sent again with
what follows it, what was lost behind it is seen by the numbers that each message carries.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from drimbox_ref.atna import syslog_message
from drimbox_ref.config import ConfigError, Table
from drimbox_ref.trail import Alert, Record, SqlAudit
from protocols.syslog import format_message, frame
from wire.tls import ClientTls, client_context

__all__ = ["Forwarder", "Repository", "forwarding", "read_repository"]

_log = logging.getLogger(__name__)

_BATCH = 200
_IDLE_S, _RETRY_S, _TIMEOUT_S, _GOODBYE_S = 1.0, 15.0, 10.0, 2.0
BAN = "traces-non-transmises"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where the trail goes: `host:port`, and the files of its TLS."""

    host: str
    port: int
    tls: ClientTls


class _Alerts(Protocol):
    def raise_(self, alert: Alert, *, now: datetime) -> bool: ...


class _Clock(Protocol):
    def now(self) -> datetime: ...


class Forwarder:
    """Sends what is new in the trail; `run` never ends by itself."""

    def __init__(
        self,
        repository: Repository,
        audit: SqlAudit,
        *,
        role: str,
        box: str,
        alerts: _Alerts,
        clock: _Clock,
        connect_to: dict[str, str] | None = None,
    ) -> None:
        self._repository = repository
        self._audit = audit
        self._role, self._box = role, box
        self._alerts, self._clock = alerts, clock
        self._context = client_context(repository.tls)
        name = f"{repository.host}:{repository.port}"
        found = (connect_to or {}).get(name) or (connect_to or {}).get(repository.host)
        host, _, port = (found or name).rpartition(":")
        self._address = host, int(port)

    async def run(self) -> None:
        """Send, wait for news, send again; an unreachable repository is told once."""
        while True:
            try:
                sent = await self.step()
                pause = 0.0 if sent else _IDLE_S
            except (OSError, TimeoutError) as error:
                await asyncio.to_thread(self._tell, error)
                pause = _RETRY_S
            await asyncio.sleep(pause)

    async def step(self) -> int:
        """Send what is new, on a connection of its own; how many records.

        Raises:
            OSError, TimeoutError: they could not be sent.
        """
        after = await asyncio.to_thread(self._audit.forwarded)
        records = await asyncio.to_thread(self._audit.after, after, _BATCH)
        if records:
            await self._send(records)
            await asyncio.to_thread(self._audit.note_forwarded, records[-1].number)
        return len(records)

    async def _send(self, records: tuple[Record, ...]) -> None:
        host, port = self._address
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                host,
                port,
                ssl=self._context,
                server_hostname=self._repository.host,
                ssl_shutdown_timeout=_GOODBYE_S,
            )
            try:
                for record in records:
                    message = syslog_message(record, role=self._role, box=self._box)
                    writer.write(frame(format_message(message)))
                await writer.drain()
            except BaseException:
                writer.transport.abort()
                raise
        # A goodbye in TLS, as RFC 5425 4.4 wants; a peer that leaves without it is no failure.
        writer.close()
        with suppress(OSError, TimeoutError):
            await writer.wait_closed()

    def _tell(self, error: BaseException) -> None:
        reason = error.reason if isinstance(error, ssl.SSLError) else str(error)
        reason = reason or type(error).__name__
        where = f"{self._repository.host}:{self._repository.port}"
        fresh = self._alerts.raise_(
            Alert(
                ban=BAN,
                message=f"Les traces d'audit ne partent pas vers {where} : {reason}",
                advice="Vérifier que le dépôt de traces est en marche et que ses certificats sont "
                "les bons ; les traces sont gardées et partiront ensuite.",
            ),
            now=self._clock.now(),
        )
        if fresh:
            _log.warning("dépôt de traces %s : %s", where, reason)


def forwarding(
    repository: Repository | None,
    audit: SqlAudit,
    *,
    role: str,
    box: str,
    alerts: _Alerts,
    clock: _Clock,
    connect_to: dict[str, str],
    file: Path,
) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
    """What a box runs beside its own work: nothing, when its configuration names no repository.

    Raises:
        ConfigError: a file of its TLS is not what it should be; `file` is the configuration.
    """
    if repository is None:
        return ()
    try:
        forwarder = Forwarder(
            repository,
            audit,
            role=role,
            box=box,
            alerts=alerts,
            clock=clock,
            connect_to=connect_to,
        )
    except OSError as error:
        raise ConfigError(file, "audit", "des certificats lisibles", str(error)) from error
    return (forwarder.run,)


def read_repository(root: Table) -> Repository | None:
    """The `[audit]` section: `syslog = "host:port"`, `trust`, and `certificate` with `key` when
    the repository asks for one; None without it."""
    table = root.table("audit", optional=True)
    where = table.text("syslog", "")
    if not where:
        table.end()
        return None
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise table.error("syslog", "un « hôte:port »", where)
    with_certificate = bool(table.text("certificate", ""))
    repository = Repository(
        host=host,
        port=int(port),
        tls=ClientTls(
            trust=table.path("trust"),
            certificate=table.path("certificate") if with_certificate else None,
            key=table.path("key") if with_certificate else None,
        ),
    )
    table.end()
    return repository
