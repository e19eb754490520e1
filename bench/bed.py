"""The test bed: the world in this process, and each box in one of its own.

The Source that a Consumer calls is the counterpart: the embedded reference itself when nothing
replaces it, else a healthy reference of the bench's own, which keeps a journal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.administering import ByCommand
from bench.archives import Archive, ProductPacs, Simulated, by_c_store, by_stow
from bench.box_config import set_options, write_consumer, write_source
from bench.browser import BrowserFactory
from bench.changes import ByProgram, Changes, by_hand
from bench.errors import BenchError
from bench.feed import Feed
from bench.launching import Launch, start_program, with_python
from bench.neighbours import Manner
from bench.process import BoxFailure, ChildBox
from bench.profile import ConsumerBox, Profile, SourceBox
from bench.tapping import tap_ris
from bench.world import World
from simulators.ris.service import label as ris_label
from simulators.user import User
from wire.dimse import DimsePeer
from wire.tap import Tap
from wire.tls import ClientTls

__all__ = ["Bed", "BoxAddresses"]

EMBEDDED = (sys.executable, "-m", "drimbox_ref")
_SOURCE_DOORS = ("mllp", "mllps", "wado", "dicom", "admin", "store", "viewer")


class BoxAddresses(dict[str, str]):
    """`mllp`, `mllps`, `wado`, `dicom`, `admin`, `viewer`, `web` -> `address:port`."""

    def pair(self, name: str) -> tuple[str, int]:
        """As `(address, port)`."""
        host, _, port = self[name].rpartition(":")
        return host.strip("[]"), int(port)


class Bed(World):
    """The world and the boxes. `start` once, `stop` once.

    `roles` are those of the scenarios to play: a box that none of them needs is not started. With
    `record_parts` the journal keeps which of their parts the boxes under test use, if they are
    the reference. The rest is the world's.
    """

    def __init__(
        self,
        profile: Profile,
        feed: Feed,
        directory: Path,
        seed: int,
        *,
        source_command: Sequence[str] = (),
        consumer_command: Sequence[str] = (),
        roles: frozenset[str] = frozenset({"source", "consumer"}),
        structures: Mapping[str, str] | None = None,
        workplace: Path | None = None,
        launch: Launch = start_program,
        record_parts: bool = False,
        browser: BrowserFactory = User,
    ) -> None:
        super().__init__(
            profile, feed, directory, seed,
            structures=structures, workplace=workplace, browser=browser,
        )  # fmt: skip
        self._launch = launch
        self._usage = directory if record_parts else None
        self._roles = {role for role in roles if getattr(profile.claims, role)}
        self._source_command = with_python(tuple(source_command) or profile.source.command)
        self._consumer_command = with_python(tuple(consumer_command) or profile.consumer.command)
        self.boxes: dict[str, ChildBox] = {}
        self.source = BoxAddresses()
        self.counterpart = BoxAddresses()
        self.consumer = BoxAddresses()
        self.images: Archive
        """Where the images that the Source under test publishes are put."""

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the world, start the boxes, tell everybody who is where."""
        super().start()
        self._start_boxes()

    def stop(self) -> None:
        """Stop boxes and world, whatever state they are in."""
        for box in self.boxes.values():
            box.stop()
        super().stop()

    # -- the boxes ---------------------------------------------------------------------------

    def _start_boxes(self) -> None:
        names = self.site.names
        source, consumer = "source" in self._roles, "consumer" in self._roles
        boxes = self._workplace / "boxes"
        boxes.mkdir(exist_ok=True)
        addresses = self.addresses()
        plain = not self._source_command and not self.profile.external_source()
        started: list[tuple[str, BoxAddresses]] = []

        needs_source = source or (consumer and plain)
        if needs_source and not self.profile.external_source():
            config = write_source(
                boxes, "source", self.site, self.papers, addresses, self.profile,
                host=names.source, ae_title=self.profile.source.ae_title, seed=self.seed,
                journal=self.directory if plain else None, usage=self._usage,
                ports=dict(self.profile.source.ports), hosts=self._within if plain else {},
            )  # fmt: skip
            command = self._source_command or _embedded("source")
            self.boxes["source"] = self._box("source", command, config)
            started.append(("source", self.source))
        if consumer and not plain:
            config = write_source(
                boxes, "counterpart", self.site, self.papers, addresses, self.profile,
                host=names.counterpart, ae_title="COUNTERPART", seed=self.seed + 1,
                journal=self.directory, ports={"wado": self.profile.world.counterpart},
                hosts=self._within,
            )  # fmt: skip
            self.boxes["counterpart"] = self._box("counterpart", _embedded("source"), config)
            started.append(("counterpart", self.counterpart))
        for role, _ in started:
            self.boxes[role].spawn()
        for role, where in started:
            where.update(self.boxes[role].wait_ready(self.profile.timing.start_s))
        if self.profile.external_source():
            given = self.profile.source
            self.source.update(
                mllp=given.mllp, mllps=given.mllps, wado=given.wado, dicom=given.dicom,
                admin=given.admin, viewer=given.viewer,
            )  # fmt: skip
        self.images = self._archive()
        if plain:
            self.counterpart = self.source
        # The reference keeps a journal where it plays the missing half.
        half = self.boxes.get("source" if plain else "counterpart")
        if half is not None:
            self.feed.follow(f"source-{half.pid}")
        self._introduce_sources(names.source, names.counterpart, plain=plain)
        self._listen_to_ris()
        if consumer:
            self._start_consumer(boxes)

    def _box(self, role: str, command: Sequence[str], config: Path) -> ChildBox:
        return ChildBox(role, command, config, config.parent, launch=self._launch)

    def _start_consumer(self, boxes: Path) -> None:
        if self.profile.external_consumer():
            given = self.profile.consumer
            self.consumer.update(web=given.web, admin=given.admin)
        else:
            config = write_consumer(
                boxes, self.site, self.papers, self.addresses(), self.profile,
                seed=self.seed, usage=self._usage, ports=dict(self.profile.consumer.ports),
            )  # fmt: skip
            command = self._consumer_command or _embedded("consumer")
            box = self._box("consumer", command, config)
            self.boxes["consumer"] = box
            self.consumer.update(box.start(self.profile.timing.start_s))
        self.connect_to[self.site.names.consumer] = self.consumer["web"]

    def restart_consumer(self, **options: str) -> None:
        """The Consumer stops and starts on the state that it had; it forgets what it had read of
        others. `options` are what its file says from now on besides what the profile does, and
        until the next time: only the reference reads them.

        Raises:
            BoxFailure: the bench does not start the Consumer, or it does not start.
        """
        box = self.boxes.get("consumer")
        if box is None:
            raise BoxFailure("la Consommatrice n'est pas démarrée par le banc")
        box.stop(self.profile.timing.start_s)
        set_options(box.config, {**self.profile.options, **options})
        self.consumer.update(box.start(self.profile.timing.start_s))
        self.connect_to[self.site.names.consumer] = self.consumer["web"]

    @property
    def consumer_is_reference(self) -> bool:
        """Whether the Consumer under test is the embedded one, right or wrong."""
        return not self.profile.consumer.command and not self.profile.external_consumer()

    def _introduce_sources(self, source: str, counterpart: str, *, plain: bool) -> None:
        if self.source:
            own = self._announced(self.source["wado"]) if plain else self.source["wado"]
            self.connect_to[source] = own
            if self.source.get("viewer"):
                self.connect_to[self.site.names.source_viewer] = self.source["viewer"]
            if self.source.get("dicom"):
                title = self.profile.source.ae_title
                for one in (self.pacs, self.second_pacs):
                    if one is not None:
                        one.add_destination(title, *self.source.pair("dicom"))
        if not plain and self.counterpart:
            self.connect_to[counterpart] = self._announced(self.counterpart["wado"])
            self.pacs.add_destination("COUNTERPART", *self.counterpart.pair("dicom"))

    @property
    def _within(self) -> dict[str, str]:
        """Doors of a Source of the bench's own that boxes of other machines come to."""
        return {"wado": self.profile.world.address}

    def _listen_to_ris(self) -> None:
        ris, given = self.profile.neighbours.of("ris"), self.profile.source.mllp
        if ris.manner is Manner.TAPPED and (self.source or given):
            host, _, port = (given or self.source["mllp"]).rpartition(":")
            source = host.strip("[]"), int(port)
            tap = self.call(self._tap_ris, source)
            self._tapped(ris, tap)

    async def _tap_ris(self, source: tuple[str, int]) -> Tap:
        return await tap_ris(self.observe, ris_label, self.profile.world.ris, source, **self._where)

    def write_box_configs(self, directory: Path) -> list[Path]:
        """What the reference boxes would be told, in files; another product's people read it."""
        profile = self.profile
        addresses = replace(self.addresses(), connect_to=self.fixed_names())
        directory.mkdir(parents=True, exist_ok=True)
        written = []
        if "source" in self.claimed:
            written.append(
                write_source(
                    directory, "source", self.site, self.papers, addresses, profile,
                    host=self.site.names.source, ae_title=profile.source.ae_title, seed=self.seed,
                    journal=None, ports=_ports(profile.source, *_SOURCE_DOORS),
                    hosts=_hosts(profile.source, *_SOURCE_DOORS),
                )
            )  # fmt: skip
        if "consumer" in self.claimed:
            written.append(
                write_consumer(
                    directory, self.site, self.papers, addresses, profile,
                    seed=self.seed, ports=_ports(profile.consumer, "web", "admin"),
                    hosts=_hosts(profile.consumer, "web", "admin"),
                )
            )  # fmt: skip
        return written

    # -- what is known of them ---------------------------------------------------------------

    @property
    def note_door(self) -> DimsePeer:
        """Where the PACS sends IOCM notes to the Source under test."""
        given = self.profile.source
        host, _, port = (given.iocm or self.source["dicom"]).rpartition(":")
        return DimsePeer(host.strip("[]"), int(port), given.ae_title, "source")

    @property
    def claimed(self) -> frozenset[str]:
        """The roles that the product claims, whatever is played."""
        claims = self.profile.claims
        return frozenset(role for role in ("source", "consumer") if getattr(claims, role))

    @property
    def native(self) -> bool:
        """Whether the Source under test has its PACS within."""
        return self.profile.claims.mode == "native" and self.profile.claims.source

    def _archive(self) -> Archive:
        if not self.native or not self.source:
            return Simulated(self.pacs)
        given, timeout = self.profile.source, self.profile.timing.effect_s
        stow = given.stow or self.source.get("stow", "")
        store = given.store or self.source.get("store", "")
        if stow:
            shown = given.stow_certificate
            tls = ClientTls(
                Path(given.stow_trust or self.papers.server_trust),
                Path(shown) if shown else None,
                Path(given.stow_key) if shown else None,
            )
            send = by_stow(stow, self.observe, tls=tls, run=self.call, timeout=timeout)
        elif store:
            host, _, port = store.rpartition(":")
            peer = DimsePeer(host.strip("[]"), int(port), given.store_ae_title, "source")
            send = by_c_store(peer, self.observe, timeout=timeout)
        else:
            raise BenchError(
                "produit native : ni le profil ([source] store, stow) ni le produit lancé ne "
                "disent où son PACS reçoit des images"
            )
        return ProductPacs(send, self.pacs)

    @property
    def changes(self) -> Changes:
        """Who does what no exchange asks of the Source under test."""
        command = with_python(self.profile.source.changes)
        if command:
            return ByProgram(command, self.profile.timing.effect_s)
        box = self.boxes.get("source")
        if box is not None and not self.profile.source.command:
            return ByCommand(box.config)
        return by_hand


def _embedded(role: str) -> tuple[str, ...]:
    return (*EMBEDDED, role, "--config", "{config}", "--ready", "{ready}")


def _hosts(box: SourceBox | ConsumerBox, *names: str) -> dict[str, str]:
    """Where a box must listen for its addresses to be right: it may be on another machine."""
    given = {name: getattr(box, name).rpartition(":")[0].strip("[]") for name in names}
    return {name: host for name, host in given.items() if host}


def _ports(box: SourceBox | ConsumerBox, *names: str) -> dict[str, int]:
    """The ports that a box must take: as told, else those of its addresses."""
    ports = dict(box.ports)
    for name in names:
        address = getattr(box, name)
        if address and name not in ports:
            ports[name] = int(address.rpartition(":")[2])
    return ports
