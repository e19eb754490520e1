"""`drimbench data push`: images into a PACS, and what a run published taken back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
from rich.console import Console

from bench.archives import Sender, by_c_store, by_stow
from bench.dataset.prepared import Prepared
from bench.dataset.pushing import Pushed, images_of, push
from bench.dataset.sending import deliver
from bench.depublishing import Depublisher, signatory
from bench.errors import BenchError
from bench.journal import Journal
from bench.profile import Profile
from bench.withdrawing import Publication, carriers_of, deletion_of, publications_of
from drimbench.clients import Means
from simulators.ris.dmp_client import DmpRefusal
from spec.dmp import ServicePath
from wire.dimse import DimsePeer
from wire.exchange import Observe
from wire.listening import authority
from wire.progress import Progress

__all__ = ["Withdrawn", "dmp_of", "fill", "route", "withdraw_at_dmp", "withdraw_by_source"]

_PEER = re.compile(r"(?P<aet>[^@]{1,16})@(?P<host>\[[^\]]+\]|[^:@\[\]]+):(?P<port>[0-9]{1,5})")
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What became of one published KOS."""

    kos_uid: str
    study_uid: str
    done: bool
    detail: str

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        return {
            "kos_uid": self.kos_uid,
            "study_uid": self.study_uid,
            "done": self.done,
            "detail": self.detail,
        }


def route(to: str, stow: str, means: Means) -> Callable[[Observe], Sender]:
    """How images go: by C-STORE to `AET@host:port`, or by STOW-RS to the root of a service.

    Raises:
        BenchError: neither, both, or an address that is none.
    """
    if bool(to) == bool(stow):
        raise BenchError("un PACS est attendu : --to AET@hôte:port, ou --stow URL")
    if stow:
        if not re.match(r"https?://[^/]", stow):
            raise BenchError(f"--stow {stow} : une URL http ou https est attendue")
        return partial(
            by_stow,
            stow,
            tls=means.tls if stow.startswith("https:") else None,
            run=lambda call: anyio.run(call),
            timeout=_TIMEOUT_S,
        )
    match = _PEER.fullmatch(to)
    if match is None or int(match["port"]) > 0xFFFF:
        raise BenchError(f"--to {to} : AET@hôte:port est attendu")
    host = match["host"].strip("[]")
    peer = DimsePeer(host, int(match["port"]), match["aet"], name="pacs")
    return partial(by_c_store, peer, timeout=_TIMEOUT_S)


def fill(prepared: Prepared, send: Sender, console: Console) -> Pushed:
    """Put the images of a situation there, and tell each failure."""
    name, total = prepared.situation.name, prepared.situation.images
    with Progress(f"{name}, images", total, console=console) as progress:
        pushed = push(images_of(prepared), total, send, progress=progress.to)
    console.print(f"{name} : {pushed.taken} images sur {total}", highlight=False, markup=False)
    for failure in pushed.failures:
        console.print(
            f"  {failure.sop_instance} : {failure.why}", style="red", highlight=False, markup=False
        )
    if pushed.unsent:
        console.print(
            f"  le PACS ne répond plus : {pushed.unsent} images n'ont pas été envoyées",
            style="red",
            highlight=False,
        )
    return pushed


def withdraw_by_source(
    journal: Journal, to: tuple[str, int], observe: Observe, *, counterpart: str, timeout: float
) -> Iterator[Withdrawn]:
    """Ask the Source, as the RIS would, to withdraw the reports of what a run published.

    What another Source published, at host `counterpart`, is not its affair.
    """
    left: dict[str, Publication] = {}
    for one in publications_of(journal):
        if counterpart in one.hosts:
            yield _withdrawn(one, False, f"publié par {counterpart}, qui n'est pas cette Source")
        else:
            left[one.study_uid] = one
    now = datetime.now(UTC)
    for number, carrier in enumerate(carriers_of(journal), 1):
        about = [left.pop(uid) for uid in sorted(carrier.studies) if uid in left]
        if not about:
            continue
        message = deletion_of(
            carrier.message, control_id=f"KIT{now:%y%m%d%H%M%S}{number % 10_000:04}", moment=now
        )
        (answer,) = deliver(
            [(carrier.report, message)], to, observe, timeout=timeout, told=lambda _: None
        )
        ack = answer.ack
        said = f"MSA-1 = {ack.code} {ack.text}".strip() if ack else answer.silence
        for one in about:
            yield _withdrawn(one, ack is not None and ack.accepted, f"suppression : {said}")
    for one in left.values():
        yield _withdrawn(one, False, "le message qui l'a publié n'est pas au journal")


def withdraw_at_dmp(
    journal: Journal, url: str, certificates: Path, trust: Path, observe: Observe
) -> Iterator[Withdrawn]:
    """Depublish at the DMP, in the name of each structure that published.

    Raises:
        BenchError: no certificates for a structure, or no trust: nothing is then done.
    """
    published = publications_of(journal)
    if published and not trust.is_file():
        raise BenchError(f"{trust} : les autorités du DMP (PEM) sont attendues")
    signatories = {one.structure: signatory(certificates, one.structure) for one in published}
    for structure, who in signatories.items():
        desk = Depublisher(
            url,
            trust=trust,
            who=who,
            observe=observe,
            clock=lambda: datetime.now(UTC),
            uuid=uuid4,
        )
        yield from asyncio.run(_depublish(desk, [o for o in published if o.structure == structure]))


async def _depublish(desk: Depublisher, about: Sequence[Publication]) -> list[Withdrawn]:
    found = []
    async with desk:
        for one in about:
            try:
                uuid = await desk.depublish(one)
            except DmpRefusal as error:
                found.append(_withdrawn(one, False, str(error)))
            else:
                found.append(_withdrawn(one, True, f"TD3.3c : {uuid} est dépublié"))
    return found


def _withdrawn(one: Publication, done: bool, detail: str) -> Withdrawn:
    return Withdrawn(kos_uid=one.kos_uid, study_uid=one.study_uid, done=done, detail=detail)


def dmp_of(profile: Profile) -> str:
    """Where `drimbench serve` holds the DMP of that profile.

    Raises:
        BenchError: the profile gives it no fixed port.
    """
    if not profile.world.dmp:
        raise BenchError("où est le DMP ? --dmp URL, ou [world] dmp dans le profil")
    root = ServicePath.REGISTRY.rpartition("/")[0]
    return f"https://{authority(profile.world.announced, profile.world.dmp)}{root}"
