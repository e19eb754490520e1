"""A soak while it runs: the senders, the faults, the kills, and the wait until all is settled."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bench.bed import Bed
from bench.process import BoxFailure
from load.soak.dossiers import Cabinet
from load.soak.faults import UNANSWERED, Injector
from load.soak.hearing import Ear
from load.soak.pages import Pages
from load.soak.plan import Kill, Moment, Plan, PlannedReport
from protocols.errors import RemoteProtocolError
from simulators.ris.service import Ack, label
from wire.exchange import Exchange, Outcome
from wire.mllp import MllpClient, MllpTimeout

__all__ = ["Driver", "Played", "Telling"]

_ACK_S = 20.0
_GIVE_UP_S = 90.0
"""How long a RIS sends the same message again before somebody calls."""
_RETRY_S = 0.05
_LOOK_S = 0.2
_AT_REST = "au repos, faute du moment prévu"

Telling = Callable[[str, int, int], None]
"""What is going on, in a word, how far it is, and of how much (0: unknown)."""


@dataclass(slots=True)
class Played:
    """What happened, apart from what is left in the DMP."""

    acknowledged: dict[int, str] = field(default_factory=dict)
    """Number of the report -> MSA-1 of its last acknowledgement."""
    missing: dict[int, str] = field(default_factory=dict)
    """Number of the report -> why it has no acknowledgement."""
    sent: int = 0
    """Times that a message was sent, whatever came of it."""
    resent: int = 0
    """Times that a message was sent again for want of an acknowledgement."""
    kills: Counter[str] = field(default_factory=Counter)
    """Moment -> kills."""
    faults: Counter[str] = field(default_factory=Counter)
    """Name -> times that it was made."""
    died: str = ""
    """Why the Source is not there any more, though nobody killed it."""
    settled: bool = False
    """Whether nothing was left to do."""
    backlog: int | None = None
    """What the Source said that it had left to do."""


class Driver:
    """Plays one plan on a started bed; `play` and `abandon` run in the bed's loop.

    Args:
        window: messages acknowledged and not yet worked on, beyond which nobody sends; without
            administration pages there is no such limit.
        patience_s: how long nothing may change before what is left undone is held for lost.
    """

    def __init__(
        self,
        bed: Bed,
        ear: Ear,
        plan: Plan,
        cabinet: Cabinet,
        tell: Telling,
        *,
        window: int,
        patience_s: float,
    ) -> None:
        pacs, dmp = bed.simulators.pacs, bed.simulators.dmp
        assert pacs is not None
        assert dmp is not None
        self._bed, self._ear, self._plan, self._cabinet = bed, ear, plan, cabinet
        self._tell = tell
        self._window, self._patience = window, patience_s
        self._box = bed.boxes["source"]
        self._door = bed.source.pair("mllp" if bed.source.get("mllp") else "mllps")
        self.pages = Pages(bed.source.get("admin", ""))
        self._injector = Injector(pacs, dmp)
        self._due_kills: deque[Kill] = deque(plan.kills)
        self._due_faults = deque(plan.faults)
        self._waiting: deque[Moment] = deque()
        """Kills whose number of acknowledgements has come."""
        self._armed: Moment | None = None
        self._meant = False
        """Whether the Source is down because it was killed."""
        self._killing = threading.Lock()
        self._task: asyncio.Task[object] | None = None
        self._up, self._over, self._looked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        """Whether the Source lives; nothing is to be done any more; its work was looked at."""
        self._acks = 0
        self._since_look = 0
        self._backlog: int | None = 0
        self.played = Played()

    async def play(self) -> Played:
        """Send everything, then wait until it is worked on."""
        self._loop = asyncio.get_running_loop()
        self._up.set()
        self._ear.told = self._heard
        self._group, self._task = asyncio.TaskGroup(), asyncio.current_task()
        try:
            async with self._group as group:
                looking = group.create_task(self._look())
                senders = [group.create_task(self._send_all(one)) for one in self._plan.senders]
                await asyncio.gather(*senders)
                await self._settle()
                self._over.set()
                await looking
        finally:
            self._over.set()
            self._ear.told = lambda _: None
            self.played.faults = self._injector.made
        return self.played

    async def abandon(self) -> None:
        """Stop all that `play` does, which then ends."""
        self._over.set()
        if self._task is not None:
            self._task.cancel()

    # -- sending -----------------------------------------------------------------------------

    async def _send_all(self, messages: tuple[PlannedReport, ...]) -> None:
        link = self._bed.intake
        async with MllpClient(
            *self._door,
            actor="ris",
            observe=self._bed.observe,
            label=label,
            tls=link.tls,
            server_name=link.server_name,
        ) as client:
            for planned in messages:
                await self._room()
                if self._ended:
                    self.played.missing[planned.number] = self.played.died
                    continue
                data = await asyncio.to_thread(self._cabinet.prepare, planned)
                for _ in range(1 + planned.repeats):
                    await self._deliver(client, planned, data)

    async def _room(self) -> None:
        """Wait while the Source has a whole window of work before it."""
        while self._backlog is not None and self._backlog + self._since_look >= self._window:
            await self._injector.relieve()
            if self._ended:
                return
            await self._looked.wait()

    async def _deliver(self, client: MllpClient, planned: PlannedReport, data: bytes) -> None:
        """Send a message until it is acknowledged, as a RIS does."""
        limit = self._loop.time() + _GIVE_UP_S
        first, why = True, ""
        while not self._ended and self._loop.time() < limit:
            await self._up.wait()
            self.played.sent += 1
            self.played.resent += not first
            first = False
            try:
                ack = Ack.read(await client.send(data, timeout=_ACK_S))
            except (MllpTimeout, ConnectionError, RemoteProtocolError) as error:
                why = str(error) or type(error).__name__
                await self._pause(_RETRY_S)
                continue
            self.played.acknowledged[planned.number] = ack.code
            self.played.missing.pop(planned.number, None)
            if ack.code != "AR":  # the message is not at fault, and nothing was kept
                await self._counted()
                return
            await self._pause(_LOOK_S)
        self.played.missing.setdefault(planned.number, self.played.died or why)

    async def _counted(self) -> None:
        """One more acknowledgement: what was planned for that number begins."""
        self._acks += 1
        self._since_look += 1
        self._tell("envoi", len(self.played.acknowledged), sum(map(len, self._plan.senders)))
        while self._due_faults and self._due_faults[0].after <= self._acks:
            fault = self._due_faults.popleft()
            await self._injector.inject(fault.name, fault.times)
        while self._due_kills and self._due_kills[0].after <= self._acks:
            self._waiting.append(self._due_kills.popleft().moment)
        await self._arm()
        await self._injector.acknowledged()

    @property
    def _ended(self) -> bool:
        """Whether there is nobody to send to, or no more reason to."""
        return bool(self.played.died) or self._over.is_set()

    # -- killing -----------------------------------------------------------------------------

    async def _arm(self) -> None:
        if self._armed is not None or not self._waiting or not self._up.is_set():
            return
        self._armed = self._waiting.popleft()
        if self._armed is Moment.UNANSWERED:
            await self._injector.inject(UNANSWERED, 1)
        if self._armed is Moment.ACKNOWLEDGED:
            self._kill(self._armed)

    def _heard(self, exchange: Exchange) -> None:
        """In the thread of whoever answered the Source: it is killed before it does more."""
        armed = self._armed
        if armed is not None and _is(armed, exchange):
            self._kill(armed)

    def _kill(self, moment: Moment, told: str = "") -> None:
        with self._killing:  # two exchanges at once kill once
            if self._armed is not moment:
                return
            self._armed, self._meant = None, True
        self._box.kill()
        self._loop.call_soon_threadsafe(self._killed, told or moment.value)

    def _killed(self, moment: str) -> None:
        self._up.clear()
        self._since_look += 1  # what was known of its work is known no more
        self.played.kills[moment] += 1
        self._group.create_task(self._revive())

    async def _revive(self) -> None:
        try:
            await asyncio.to_thread(self._box.start, self._bed.profile.timing.start_s)
        except BoxFailure as failure:
            self.played.died = str(failure)
        self._meant = False
        self._up.set()
        if not self.played.died:
            await self._arm()

    # -- waiting -----------------------------------------------------------------------------

    async def _look(self) -> None:
        """Know how much work the Source has before it, and whether it lives."""
        while not self._over.is_set():
            if self._up.is_set():
                if (code := self._box.ended()) is not None and not self._meant:
                    self.played.died = (
                        f"la Source s'est arrêtée d'elle-même (code {code}) :\n"
                        f"{self._box.last_words()}"
                    )
                before = self._acks
                found = await self.pages.backlog()
                if found is not None or not self.pages.address:
                    self._backlog, self._since_look = found, self._acks - before
            self._looked.set()
            self._looked = asyncio.Event()
            await self._pause(_LOOK_S)

    async def _settle(self) -> None:
        """Every message is acknowledged: let the Source work, until nothing changes any more."""
        await self._injector.relieve()
        last, since = self._signs(), self._loop.time()
        first = self._backlog or 0
        while not self._ended:
            await self._looked.wait()
            quiet = self._loop.time() - since
            if (now := self._signs()) != last:
                last, since, quiet = now, self._loop.time(), 0.0
            if self._backlog is not None:
                first = max(first, self._backlog)
                self._tell("attente", first - self._backlog, first)
            at_rest = self._up.is_set() and self._is_done(quiet)
            if at_rest and (self._armed or self._waiting):
                # Nothing comes any more at which it was to be killed: it is killed at rest.
                self._armed = self._armed or self._waiting.popleft()
                self._kill(self._armed, _AT_REST)
                await asyncio.sleep(0)
            elif at_rest or quiet >= self._patience:
                self.played.settled = at_rest
                break
        self.played.backlog = self._backlog

    def _is_done(self, quiet: float) -> bool:
        if self._backlog is None:
            return quiet >= self._patience
        return self._backlog == 0 and self._since_look == 0

    def _signs(self) -> tuple[object, ...]:
        """What changes while the Source works."""
        counts = self._ear.counts
        return self._backlog, counts["ITI-41"], counts["ITI-57"], self.played.kills.total()

    async def _pause(self, seconds: float) -> None:
        # Not `wait_for`, which loses a cancellation that comes with what it waits for (3.11).
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()


def _is(moment: Moment, exchange: Exchange) -> bool:
    """Whether that exchange is the one to be killed at."""
    answered = exchange.outcome is Outcome.ANSWERED
    match moment:
        case Moment.QUERIED:
            return exchange.actor == "pacs" and exchange.transaction == "C-FIND"
        case Moment.DEPOSITED:
            return answered and exchange.transaction in ("ITI-41", "ITI-57")
        case Moment.UNANSWERED:
            return not answered and exchange.transaction in ("ITI-41", "ITI-57")
        case Moment.LOOKED_UP:
            return exchange.transaction == "ITI-18"
    return False
