"""The composition root: the only module that knows which concrete part is used."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from drimbox_ref import names, trail
from drimbox_ref.admin import build_admin
from drimbox_ref.config import open_state
from drimbox_ref.consumer import copies, queue
from drimbox_ref.consumer.api_tokens import ExchangedTokens, NoTokens
from drimbox_ref.consumer.authorisation import DmpAuthorisation
from drimbox_ref.consumer.behalf import BehalfChannel
from drimbox_ref.consumer.calls import ContextualCalls
from drimbox_ref.consumer.ciba import CibaClient
from drimbox_ref.consumer.config import EXPORT_USES, ConsumerConfig
from drimbox_ref.consumer.consultation import Consulting
from drimbox_ref.consumer.copies import SqlCopies
from drimbox_ref.consumer.documents import DmpDocuments
from drimbox_ref.consumer.exporter import Exporter
from drimbox_ref.consumer.fetching import Fetcher
from drimbox_ref.consumer.identity import InsCheck
from drimbox_ref.consumer.images import WadoImages
from drimbox_ref.consumer.library import SharedLibrary
from drimbox_ref.consumer.local_pacs import DimseLocalPacs
from drimbox_ref.consumer.localizer import IppLocalizer
from drimbox_ref.consumer.manifests import KosManifests
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import ApiTokens, Uids
from drimbox_ref.consumer.professionals import UserinfoSituations
from drimbox_ref.consumer.queue import SqlQueue
from drimbox_ref.consumer.registry import DmpRegistry
from drimbox_ref.consumer.service import Consumer
from drimbox_ref.consumer.sessions import Sessions
from drimbox_ref.consumer.tokens import FreshTokens
from drimbox_ref.consumer.trust import HostTrust
from drimbox_ref.consumer.vihf import AirVihf
from drimbox_ref.consumer.web import ConsumerWeb
from drimbox_ref.credentials import FileDirectory
from drimbox_ref.database import Database
from drimbox_ref.dmp import DmpChannel
from drimbox_ref.forwarding import forwarding
from drimbox_ref.names import SeededUids, SystemClock, SystemUids
from drimbox_ref.psc import PscChannel
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
    """What runs beside the parts, and what must be closed in the end."""

    background: tuple[Callable[[], Coroutine[None, None, None]], ...]
    close: tuple[Callable[[], Awaitable[None]], ...]


def build_parts(config: ConsumerConfig) -> tuple[Foundation, Parts]:
    """The parts of the right box.

    Raises:
        ConfigError: a certificate or key is not what the configuration says.
    """
    options, timing = config.options, config.timing
    schemas = (trail.SCHEMA, names.SCHEMA, copies.SCHEMA, queue.SCHEMA)
    database = open_state(config.box, "consumer.sqlite", *schemas, file=config.file)
    clock = SystemClock()
    uids = _uids(config, database)
    directory = FileDirectory(config.dmp.structures, file=config.file)
    alerts = SqlAlerts(database)
    audit = SqlAudit(database, key=audit_key(config.box.state))
    psc_client = HttpClient(
        actor="consumer",
        observe=ignore,
        tls=ClientTls(
            trust=config.psc.trust, certificate=config.psc.certificate, key=config.psc.key
        ),
        connect_to=config.connect_to,
        timeout=timing.psc_timeout_s,
    )
    ans_client = HttpClient(
        actor="consumer",
        observe=ignore,
        tls=ClientTls(trust=config.whitelist.trust),
        connect_to=config.connect_to,
        timeout=timing.psc_timeout_s,
    )
    wado_client = HttpClient(
        actor="consumer",
        observe=_observe(config.box.journal),
        tls=ClientTls(
            trust=config.wado.trust, certificate=config.wado.certificate, key=config.wado.key
        ),
        connect_to=config.connect_to,
        timeout=timing.wado_timeout_s,
    )
    dmp_channel = DmpChannel(
        actor="consumer",
        url=config.api.url if config.api else config.dmp.url,
        trust=config.dmp.trust,
        uids=uids,
        connect_to=config.connect_to,
        timeout_s=timing.dmp_timeout_s,
        observe=ignore,
    )
    psc = CibaClient(
        PscChannel(config.psc.issuer, client=psc_client),
        client_id=config.psc.client_id,
        redirect_uri=config.web.public_url + config.psc.redirect,
        clock=clock,
    )
    channel = BehalfChannel(dmp_channel)
    tokens = FreshTokens(psc, clock=clock, margin_s=timing.token_margin_s)
    api: ApiTokens = NoTokens()
    if config.api is not None:
        api = ExchangedTokens(
            config.api,
            lps=config.identity,
            clock=clock,
            connect_to=config.connect_to,
            timeout_s=timing.dmp_timeout_s,
            margin_s=timing.token_margin_s,
            in_hex=options.cnf_thumbprint == "hex",
        )
    parts = Parts(
        clock=clock,
        uids=uids,
        calls=ContextualCalls(options),
        sessions=Sessions(
            mint=lambda: secrets.token_urlsafe(32), now=clock.now, idle_s=timing.session_idle_s
        ),
        psc=psc,
        tokens=tokens,
        api=api,
        situations=UserinfoSituations(),
        directory=directory,
        vihf=AirVihf(
            VihfWriter(
                config.identity,
                version=options.vihf_version,
                algorithm=options.signature_algorithm,
                mode_name=options.attribute_mode_name,
            ),
            uids=uids,
            context=options.authn_context,
            declaration=options.authn_context_decl,
        ),
        registry=DmpRegistry(
            channel,
            uids=uids,
            installation_oid=config.identity.installation_oid,
            name=config.identity.lps_name,
        ),
        documents=DmpDocuments(
            channel, clock=clock, shown=config.documents, years=options.document_years
        ),
        authorisations=DmpAuthorisation(channel),
        manifests=KosManifests(),
        trust=HostTrust(
            WhiteListKeeper(
                config.whitelist,
                client=ans_client,
                now=clock.now,
                state=config.box.state,
                file=config.file,
            ),
            alerts=alerts,
            clock=clock,
        ),
        network=wado_client,
        images=WadoImages(wado_client),
        copies=SqlCopies(
            database,
            config.box.state / "images",
            quota=options.cache_mib * 1024 * 1024,
            days=options.cache_days,
        ),
        identity=InsCheck(),
        localizer=IppLocalizer(issuer=options.patient_id_issuer == "from_call"),
        pacs=DimseLocalPacs(config.local_pacs, timeout_s=timing.pacs_timeout_s),
        queue=SqlQueue(database, config.box.state / "exports"),
        alerts=alerts,
        audit=audit,
    )

    async def close_database() -> None:
        await asyncio.to_thread(database.close)

    close = (
        dmp_channel.close,
        api.close,
        psc_client.aclose,
        ans_client.aclose,
        wado_client.aclose,
        close_database,
    )
    background = forwarding(
        config.repository,
        audit,
        role="consumer",
        box=config.box.name,
        alerts=alerts,
        clock=clock,
        connect_to=config.connect_to,
        file=config.file,
    )
    return Foundation(background=background, close=close), parts


def assemble(foundation: Foundation, parts: Parts, config: ConsumerConfig, ready: Path) -> Consumer:
    """The Consumer made of these parts. `ready` names the ports of a former life, if any."""
    options = config.options
    limit = options.max_exam_mib * 1024 * 1024
    library = SharedLibrary(
        parts,
        Fetcher(parts, limit=limit, retries=options.retries, wait_s=config.timing.retry_wait_s),
        parallel=options.parallel_series,
    )
    exporter = Exporter(
        parts,
        library,
        destinations=[pacs.name for pacs in config.local_pacs],
        use_of=lambda modality: EXPORT_USES[
            config.export_syntaxes.get(modality, options.export_syntax)
        ],
        limit=limit,
        parallel=options.parallel_exports,
        parallel_series=options.parallel_series,
    )
    parts.sessions.listen(exporter.resume)
    web = ConsumerWeb(
        parts,
        consulting=Consulting(parts, max_exams=options.max_exams),
        exporter=exporter,
        library=library,
        config=config,
    )
    views = {"alerts": parts.alerts.everything, "audit": parts.audit.everything}
    admin = build_admin(views, {})
    return Consumer(
        parts,
        config,
        ready=ready,
        web=web.app,
        admin=admin,
        background=(exporter.restore, *foundation.background),
        before=(exporter.aclose,),
        close=(library.aclose, *foundation.close),
    )


def _uids(config: ConsumerConfig, database: Database) -> Uids:
    """Reproducible identifiers when a seed is given, random ones otherwise.

    Identifiers that protect something (contexts, cookies, state, nonce) are always random.
    """
    if config.box.seed == 0:
        return SystemUids()
    return SeededUids(
        database,
        root=config.identity.uid_root,
        seed=config.box.seed,
        name=config.box.name,
    )


def _observe(journal: Path | None) -> Observe:
    """The box records nothing, unless it plays the missing half for a vendor's Source."""
    return ignore if journal is None else Shard(journal, "consumer").observe
