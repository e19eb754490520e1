"""The composition root: the only module that knows which concrete part is used."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from drimbox_ref.admin import build_admin
from drimbox_ref.credentials import FileDirectory
from drimbox_ref.database import Database
from drimbox_ref.dmp import DmpChannel
from drimbox_ref.forwarding import forwarding
from drimbox_ref.limits import Limited, Limiter
from drimbox_ref.names import SeededUids, SystemClock, SystemUids
from drimbox_ref.psc import PscChannel
from drimbox_ref.psc_login import PscClient
from drimbox_ref.source.acknowledger import Hl7Acknowledger
from drimbox_ref.source.admin import admin_queues, admin_views
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.asked_once import AskedOnce
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.bearer import AuthorizationHeader
from drimbox_ref.source.capabilities import Capabilities
from drimbox_ref.source.catalogue import ArchiveCatalogue
from drimbox_ref.source.config import SourceConfig
from drimbox_ref.source.delivery import Delivery
from drimbox_ref.source.door import MutualTls
from drimbox_ref.source.examinations import DimseExaminations
from drimbox_ref.source.images_by_pacs import ImagesByPacs
from drimbox_ref.source.inbox import SqlInbox
from drimbox_ref.source.intake import MllpIntake, doors
from drimbox_ref.source.key_notes import NoKeyNotes, PacsKeyNotes
from drimbox_ref.source.kos import ImgKosBuilder
from drimbox_ref.source.matcher import CoherenceMatcher
from drimbox_ref.source.metadata import XdsMetadata
from drimbox_ref.source.negotiator import AcceptNegotiator
from drimbox_ref.source.notices import PacsNotices
from drimbox_ref.source.outbox import SqlOutbox
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.paths import RetrievePaths
from drimbox_ref.source.ports import Uids
from drimbox_ref.source.publication import Publication
from drimbox_ref.source.registry import DmpRegistry
from drimbox_ref.source.reports import CisisReports
from drimbox_ref.source.revocation import CrlRevocation, UncheckedRevocation
from drimbox_ref.source.service import Source
from drimbox_ref.source.stamper import InsStamper
from drimbox_ref.source.state import open_database
from drimbox_ref.source.storage import StorageReceiver
from drimbox_ref.source.tokens import PscTokens
from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.trust import WhiteListTrust
from drimbox_ref.source.versions import SqlVersions
from drimbox_ref.source.viewer_door import ViewerDoor
from drimbox_ref.source.viewer_link import LinkChecks
from drimbox_ref.source.viewer_pages import FrenchPages
from drimbox_ref.source.viewer_people import KnownGuests, People
from drimbox_ref.source.viewer_shelf import ViewerShelf
from drimbox_ref.source.vihf import IndirectVihf
from drimbox_ref.source.wado import WadoService
from drimbox_ref.trail import SqlAlerts, SqlAudit, audit_key
from drimbox_ref.vihf import VihfWriter
from drimbox_ref.white_list import WhiteListKeeper
from wire.exchange import Observe, ignore
from wire.http_client import HttpClient
from wire.shard import Shard
from wire.tls import ClientTls

__all__ = ["Foundation", "assemble", "build_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What parts stand on, and what must be closed in the end."""

    storage: StorageReceiver
    psc: PscChannel
    background: tuple[Callable[[], Coroutine[None, None, None]], ...]
    """What runs beside the listeners and the workers."""
    close: tuple[Callable[[], Awaitable[None]], ...]


def build_parts(config: SourceConfig) -> tuple[Foundation, Parts]:
    """The parts of the right box.

    Raises:
        ConfigError: a certificate or key is not what the configuration says.
    """
    options, timing = config.options, config.timing
    database = open_database(config)
    clock = SystemClock()
    uids = _uids(config, database)
    directory = FileDirectory(config.dmp.structures, file=config.file)
    vihf = VihfWriter(
        config.identity,
        version=options.vihf_version,
        algorithm=options.signature_algorithm,
        mode_name=options.attribute_mode_name,
    )
    dmp = DmpChannel(
        actor="source",
        url=config.dmp.url,
        trust=config.dmp.trust,
        uids=uids,
        connect_to=config.connect_to,
        timeout_s=timing.dmp_timeout_s,
        observe=ignore,
    )
    psc = HttpClient(
        actor="source",
        observe=ignore,
        tls=ClientTls(
            trust=config.psc.trust, certificate=config.psc.certificate, key=config.psc.key
        ),
        connect_to=config.connect_to,
        timeout=timing.psc_timeout_s,
    )
    ans = HttpClient(
        actor="source",
        observe=ignore,
        tls=ClientTls(trust=config.whitelist.trust),
        connect_to=config.connect_to,
        timeout=timing.psc_timeout_s,
    )
    storage = StorageReceiver(ae_title=config.dicom.ae_title, timeout_s=timing.pacs_timeout_s)
    images = ImagesByPacs(
        config.pacs,
        storage=storage,
        ae_title=config.dicom.ae_title,
        timeout_s=timing.pacs_timeout_s,
        simultaneous=config.wado.simultaneous,
    )
    channel = PscChannel(config.psc.issuer, client=psc, deadline_s=timing.psc_timeout_s)
    alerts = SqlAlerts(database)
    audit = SqlAudit(database, key=audit_key(config.box.state))
    archive = SqlArchive(database)
    parts = Parts(
        clock=clock,
        uids=uids,
        intake=MllpIntake(doors(config.mllp, config.mllps)),
        reports=CisisReports(without_dmp=options.without_dmp),
        versions=SqlVersions(database),
        acknowledger=Hl7Acknowledger(clock=clock),
        notices=PacsNotices(),
        examinations=DimseExaminations(
            config.pacs,
            ae_title=config.dicom.ae_title,
            level=options.find_level,
            timeout_s=timing.pacs_timeout_s,
            backoff=Backoff(timing.retry_first_s, timing.retry_max_s),
        ),
        key_notes=PacsKeyNotes(images, alerts=alerts, clock=clock, patience_s=timing.pacs_timeout_s)
        if options.key_notes == "nested"
        else NoKeyNotes(),
        matcher=CoherenceMatcher(),
        kos=ImgKosBuilder(
            uids=uids,
            uid_root=config.identity.uid_root,
            public_url=config.wado.public_url,
            manufacturer=options.manufacturer,
            transfer_syntax=options.kos_transfer_syntax,
            timezone=options.timezone,
        ),
        directory=directory,
        metadata=XdsMetadata(
            config.identity,
            uids=uids,
            author=options.author,
            study_uid_authority=options.study_uid_authority,
            event_code_scheme=options.event_code_scheme,
            lot_algorithm=options.lot_algorithm,
        ),
        vihf=IndirectVihf(vihf, uids=uids),
        registry=DmpRegistry(dmp),
        inbox=SqlInbox(database),
        outbox=SqlOutbox(database),
        archive=archive,
        alerts=alerts,
        audit=audit,
        door=MutualTls(config.wado),
        showcase=Capabilities(config.wado.public_url),
        trust=WhiteListTrust(
            WhiteListKeeper(
                config.whitelist,
                client=ans,
                now=clock.now,
                state=config.box.state,
                file=config.file,
            ),
            clock=clock,
            alerts=alerts,
        ),
        revocation=UncheckedRevocation()
        if options.revocation == "off"
        else CrlRevocation(
            config.wado.client_ca,
            client=ans,
            clock=clock,
            alerts=alerts,
            folder=config.box.state / "crl",
            file=config.file,
        ),
        bearer=AuthorizationHeader(),
        tokens=AskedOnce(
            PscTokens(
                channel,
                clients=_clients(config),
            ),
            keep_s=config.psc.keep_s,
        ),
        paths=RetrievePaths(),
        catalogue=ArchiveCatalogue(archive),
        images=images,
        stamper=InsStamper(),
        negotiator=AcceptNegotiator(),
        transcoder=PixelTranscoder(),
        links=LinkChecks(),
        guests=KnownGuests(),
        viewer_pages=FrenchPages(),
    )

    async def close_database() -> None:
        await asyncio.to_thread(database.close)

    return (
        Foundation(
            storage=storage,
            psc=channel,
            background=forwarding(
                config.repository,
                audit,
                role="source",
                box=config.box.name,
                alerts=alerts,
                clock=clock,
                connect_to=config.connect_to,
                file=config.file,
            ),
            close=(images.close, dmp.close, psc.aclose, ans.aclose, close_database),
        ),
        parts,
    )


def assemble(foundation: Foundation, parts: Parts, config: SourceConfig, ready: Path) -> Source:
    """The Source made of these parts. `ready` names the ports of a former life, if any."""
    backoff = Backoff(config.timing.retry_first_s, config.timing.retry_max_s)
    viewer, close = _viewer(foundation, parts, config)
    return Source(
        parts,
        config,
        ready=ready,
        storage=foundation.storage,
        background=foundation.background,
        publication=Publication(parts, backoff=backoff, exam_retry_s=config.timing.exam_retry_s),
        delivery=Delivery(
            parts, backoff=backoff, ask_entry_uuid=config.options.entry_uuid == "after_feed"
        ),
        wado=Limited(
            WadoService(
                parts,
                public_url=config.wado.public_url,
                professions=config.psc.professions,
                simultaneous=config.wado.simultaneous,
                patience_s=config.timing.pacs_timeout_s,
                binding=config.options.cnf,
            ),
            Limiter(config.limits.per_minute),
        ),
        admin=build_admin(
            admin_views(parts), admin_queues(parts), {"white-list": parts.trust.refresh}
        ),
        viewer=viewer,
        observe_wado=_observe(config.box.journal),
        close=(*close, *foundation.close),
    )


def _viewer(
    foundation: Foundation, parts: Parts, config: SourceConfig
) -> tuple[ASGIApp | None, tuple[Callable[[], Awaitable[None]], ...]]:
    """What answers the links of reports, where it is configured, and what to close with it."""
    given = config.viewer
    if given is None:
        return None, ()
    shelf = ViewerShelf(
        parts.images,
        folder=config.box.state / "viewer",
        patience_s=config.timing.pacs_timeout_s,
    )
    door = ViewerDoor(
        parts,
        psc=PscClient(
            foundation.psc,
            client_id=given.client_id,
            redirect_uri=given.public_url + given.redirect,
            clock=parts.clock,
        ),
        people=People(
            mint=lambda: secrets.token_urlsafe(32),
            now=parts.clock.now,
            idle_s=given.idle_s,
            gone=shelf.forget,
        ),
        shelf=shelf,
        redirect=given.redirect,
        professions=config.psc.professions,
    )
    return Limited(door.app, Limiter(config.limits.per_minute)), (shelf.close,)


def _clients(config: SourceConfig) -> tuple[str, ...]:
    """Whose tokens are accepted: those of our own viewer too."""
    own = () if config.viewer is None else (config.viewer.client_id,)
    return (*config.psc.clients, *own) if config.psc.clients else ()


def _uids(config: SourceConfig, database: Database) -> Uids:
    """Reproducible identifiers when a seed is given, random ones otherwise."""
    if config.box.seed == 0:
        return SystemUids()
    return SeededUids(
        database,
        root=config.identity.uid_root,
        seed=config.box.seed,
        name=config.box.name,
    )


def _observe(journal: Path | None) -> Observe:
    """The box records nothing, unless it plays the missing half for a vendor's box."""
    return ignore if journal is None else Shard(journal, "source").observe
