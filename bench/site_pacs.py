"""The PACS around the boxes: the site's one or two, and the one where images are exported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import to_thread

from bench import ports
from bench.archives import by_c_get, by_c_store
from bench.box_config import (
    LOCAL_PACS_AE,
    PACS_AE,
    RETRIEVE,
    SECOND_PACS_AE,
)
from bench.changes import ByProgram
from bench.ground import Ground
from bench.launching import with_python
from bench.neighbours import Manner
from bench.real import RealLocalPacs, RealPacs
from bench.tapping import tap_dicom
from simulators import pacs
from simulators.pacs import Pacs, PacsConfig
from wire.dimse import DimsePeer

__all__ = ["SitePacs"]


class SitePacs(Ground):
    """Each one simulated, or reached where the profile says that it is."""

    async def _start_pacs(self) -> ports.Pacs:
        neighbour, port = self.profile.neighbours.of("pacs"), self.profile.world.pacs
        if not neighbour.simulated:
            at, timeout = (neighbour.host, neighbour.port), self.profile.timing.effect_s
            peer = DimsePeer(*at, neighbour.ae_title, "pacs")
            send = by_c_store(peer, self.observe, timeout=timeout)
            ask = by_c_get(peer, timeout=timeout)
            program = with_python(self.profile.source.pacs_changes)
            changes = ByProgram(program, timeout, "source.pacs_changes") if program else None
            if neighbour.manner is Manner.TAPPED:
                opened = await tap_dicom(neighbour, "pacs", self.observe, port, **self._where)
                tap = self._tapped(neighbour, opened)
                at = tap.host, tap.port
            return RealPacs(neighbour, at, send, ask, changes)
        made = pacs.build(PacsConfig(ae_title=PACS_AE, port=port, **self._where), self.observe)
        self.simulators.pacs = made
        self._started.append(_later(made.start().stop))
        if self.profile.options.get(RETRIEVE) == "wado-rs":
            self._pacs_web = await made.start_web()
            self._started.append(made.stop_web)
        return made

    @property
    def _has_second_pacs(self) -> bool:
        """Beside a real first one too: it is of another accession authority."""
        claims = self.profile.claims
        told = bool(self.profile.world.second_pacs) or not self.profile.external_source()
        return claims.source and claims.mode == "proxy" and told

    def _start_second_pacs(self) -> Pacs:
        config = PacsConfig(
            ae_title=SECOND_PACS_AE,
            actor="pacs-2",
            port=self.profile.world.second_pacs,
            **self._where,
        )
        made = pacs.build(config, self.observe).start()
        self._started.append(_later(made.stop))
        return made

    async def _start_local_pacs(self) -> ports.Pacs:
        neighbour, port = self.profile.neighbours.of("local_pacs"), self.profile.world.local_pacs
        actor = "pacs-local"
        if not neighbour.simulated:
            made = RealLocalPacs(neighbour, (neighbour.host, neighbour.port))
            if neighbour.manner is Manner.TAPPED:
                opened = await tap_dicom(
                    neighbour, actor, self.observe, port, made.passed, **self._where
                )
                tap = self._tapped(neighbour, opened)
                made.host, made.port = tap.host, tap.port
            return made
        config = PacsConfig(ae_title=LOCAL_PACS_AE, actor=actor, port=port, **self._where)
        simulated = pacs.build(config, self.observe)
        self.simulators.local_pacs = simulated
        self._started.append(_later(simulated.start().stop))
        return simulated


def _later(stop: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """A threaded service's stop, off the loop."""

    async def stopping() -> None:
        await to_thread.run_sync(stop)

    return stopping
