"""The entry points on a bed: valid conversations, how to reach them, and what a right answer is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.bed import Bed
from bench.box_config import CONSUMER_LOGOUT
from bench.process import ChildBox
from load.fuzz import seeds
from load.fuzz.exchange import (
    Reply,
    Socketry,
    converse,
    dimse_complete,
    dimse_echoed,
    filled,
    http_complete,
    http_status,
)
from load.fuzz.mutation import DIMSE, HL7, HTTP, SOAP, Grammar
from load.fuzz.seeds import Seeded
from protocols.errors import RemoteProtocolError
from protocols.kos import decode
from wire.tls import ClientTls, client_context

__all__ = ["NAMES", "ROLES", "Door", "open_doors", "published"]

NAMES = ("mllp", "dimse", "wado", "soap", "oidc", "drim-call")
ROLES = {
    "mllp": "source",
    "dimse": "source",
    "wado": "source",
    "soap": "source",
    "oidc": "consumer",
    "drim-call": "consumer",
}
"""The box that is started for each; `soap` strikes the bench's own DMP."""
_PUBLISHED_S = 60.0
_TWIN_S = 20.0


@dataclass(slots=True, kw_only=True)
class Door:
    """One entry point. `twin` is a valid conversation, and `right` whether its answer is right.

    Args:
        box: the process under test, None where it is not ours; `soap` is this very process.
        faults_allowed: HTTP 500 is also how the protocol refuses (SOAP).
    """

    name: str
    grammar: Grammar
    seeds: Sequence[Sequence[bytes]]
    where: Callable[[], Socketry]
    values: Callable[[], Mapping[bytes, bytes]]
    complete: Callable[[bytes], bool]
    right: Callable[[bytes], bool]
    box: ChildBox | None = None
    restart: Callable[[], None] = lambda: None
    pid: Callable[[], int | None] = lambda: None
    faults_allowed: bool = False
    http: bool = True

    def send(self, pieces: Sequence[bytes], *, patience_s: float, deadline_s: float) -> Reply:
        """A conversation, on a connection of its own."""
        values = self.values()
        return converse(
            self.where(),
            [filled(one, values) for one in pieces],
            self.complete,
            patience_s=patience_s,
            deadline_s=deadline_s,
        )

    def twin(self) -> str:
        """Send the valid conversation: "" when it is answered rightly, else what came, in
        French."""
        try:
            reply = self.send(self.seeds[0], patience_s=_TWIN_S, deadline_s=_TWIN_S)
        except OSError as error:
            return str(error)
        if self.right(reply.data):
            return ""
        return reply.refused or f"réponse {reply.data[:200]!r}"


def open_doors(bed: Bed, names: Sequence[str], seeded: Seeded) -> list[Door]:
    """These doors of a started bed, in that order."""
    # What a struck report does to its exam must not change what is asked of the other's images.
    other = seeds.seeded(seeded.seed + 1, bed.profile)
    make = {
        "mllp": lambda bed, _: _mllp(bed, other),
        "dimse": _dimse,
        "wado": _wado,
        "soap": _soap,
        "oidc": _oidc,
        "drim-call": _drim_call,
    }
    return [make[name](bed, seeded) for name in names]


def _of(
    bed: Bed, role: str
) -> tuple[ChildBox | None, Callable[[], None], Callable[[], int | None]]:
    box = bed.boxes.get(role)
    if box is None:
        return None, lambda: None, lambda: None

    def restart() -> None:
        box.kill()
        addresses = box.start(bed.profile.timing.start_s)
        if role == "source":
            bed.source.update(addresses)
            bed.connect_to[bed.site.names.source] = addresses["wado"]
        else:
            bed.consumer.update(addresses)
            bed.connect_to[bed.site.names.consumer] = addresses["web"]

    return box, restart, lambda: box.pid if box.alive() else None


def _mllp(bed: Bed, seeded: Seeded) -> Door:
    box, restart, pid = _of(bed, "source")
    plain = bool(bed.source.get("mllp"))
    papers = bed.papers.ris
    tls = ClientTls(bed.papers.server_trust, papers.certificate, papers.key)
    context = None if plain else client_context(tls)

    def where() -> Socketry:
        host, port = bed.source.pair("mllp" if plain else "mllps")
        return Socketry(host, port, context, bed.site.names.source)

    return Door(
        name="mllp", grammar=HL7, seeds=seeds.mllp(seeded), where=where, values=dict,
        complete=lambda data: b"\x1c\r" in data, right=lambda data: b"\rMSA|AA|" in data,
        box=box, restart=restart, pid=pid, http=False,
    )  # fmt: skip


def _dimse(bed: Bed, seeded: Seeded) -> Door:
    box, restart, pid = _of(bed, "source")
    return Door(
        name="dimse", grammar=DIMSE, seeds=seeds.dimse(bed.profile.source.ae_title),
        where=lambda: Socketry(*bed.source.pair("dicom")), values=dict,
        complete=dimse_complete, right=dimse_echoed,
        box=box, restart=restart, pid=pid, http=False,
    )  # fmt: skip


def _wado(bed: Bed, seeded: Seeded) -> Door:
    box, restart, pid = _of(bed, "source")
    papers, host = bed.papers.clients["peer"], bed.site.names.source
    context = client_context(ClientTls(bed.papers.server_trust, papers.certificate, papers.key))
    token = _Token(bed)
    kos = published(bed, seeded)

    def values() -> Mapping[bytes, bytes]:
        return {b"@TOKEN@": token(), b"@HOST@": host.encode(), b"@KOS@": kos}

    return Door(
        name="wado", grammar=HTTP, seeds=seeds.wado(seeded),
        where=lambda: Socketry(*bed.source.pair("wado"), context, host), values=values,
        complete=http_complete, right=lambda data: http_status(data) in (200, 206),
        box=box, restart=restart, pid=pid,
    )  # fmt: skip


def _drim_call(bed: Bed, seeded: Seeded) -> Door:
    box, restart, pid = _of(bed, "consumer")
    host = bed.site.names.consumer
    context = client_context(ClientTls(bed.papers.server_trust))
    return Door(
        name="drim-call", grammar=HTTP, seeds=seeds.drim_call(seeded),
        where=lambda: Socketry(*bed.consumer.pair("web"), context, host),
        values=lambda: {b"@HOST@": host.encode()}, complete=http_complete,
        right=lambda data: http_status(data) in (200, 302, 303, 307),
        box=box, restart=restart, pid=pid,
    )  # fmt: skip


def _oidc(bed: Bed, seeded: Seeded) -> Door:
    """The Consumer's callback, each time for a login that has begun, and its logout."""
    door = _drim_call(bed, seeded)
    call, where = seeds.drim_call(seeded)[0], door.where
    host = bed.site.names.consumer.encode()

    def values() -> Mapping[bytes, bytes]:
        known = {b"@HOST@": host}
        begun = [filled(piece, known) for piece in call]
        with suppress(OSError):
            reply = converse(where(), begun, http_complete, patience_s=_TWIN_S, deadline_s=_TWIN_S)
            known |= seeds.login_of(reply.data)
        return known

    door.name, door.seeds, door.values = "oidc", seeds.oidc(CONSUMER_LOGOUT), values
    # A code that PSC never gave: the login is refused, and said so in a page.
    door.right = lambda data: 200 <= http_status(data) < 500 or http_status(data) in (502, 503)
    return door


def _soap(bed: Bed, seeded: Seeded) -> Door:
    if bed.simulators.dmp is None:
        raise ValueError("soap : le DMP du profil est un vrai DMP")
    url, papers = urlsplit(bed.simulators.dmp.url), bed.papers.ris
    host = url.hostname or ""
    context = client_context(ClientTls(bed.papers.server_trust, papers.certificate, papers.key))
    return Door(
        name="soap", grammar=SOAP, seeds=seeds.soap(),
        where=lambda: Socketry("127.0.0.1", url.port or 443, context, host),
        values=lambda: {b"@HOST@": host.encode()}, complete=http_complete,
        right=lambda data: b"Envelope" in data, pid=os.getpid, faults_allowed=True,
    )  # fmt: skip


class _Token:
    """An access token of the reader, made anew at half its life."""

    def __init__(self, bed: Bed) -> None:
        self._bed, self._until, self._token = bed, float("-inf"), b""

    def __call__(self) -> bytes:
        now = time.monotonic()
        if now >= self._until:
            site, psc = self._bed.site, self._bed.psc
            self._until = now + psc.lifetimes.access / 2
            self._token = psc.issue(psc.professional(site.reader), site.peer_client).encode()
        return self._token


def published(bed: Bed, seeded: Seeded) -> bytes:
    """Publish the seeds' exam by the Source under test; the SOPInstanceUID of its KOS.

    Raises:
        TimeoutError: nothing was published.
    """
    mllp = _mllp(bed, seeded)
    seeded.admit(bed)
    told = mllp.twin()
    end = time.monotonic() + _PUBLISHED_S
    while time.monotonic() < end:
        for stored in bed.dmp.documents():
            with suppress(RemoteProtocolError):
                manifest = decode(stored.content)
                if manifest.study_uid == seeded.study:
                    return str(manifest.sop_instance).encode()
        time.sleep(0.2)
    raise TimeoutError(f"la Source n'a rien publié en {_PUBLISHED_S:g} s ({told or 'acquittée'})")
