"""`Parts`: everything the Consumer is assembled from, each part replaceable on its own."""

from __future__ import annotations

from dataclasses import dataclass

from drimbox_ref.consumer.ports import (
    Alerts,
    ApiTokens,
    Audit,
    Authorisations,
    Calls,
    Clock,
    Copies,
    Directory,
    Documents,
    IdentityCheck,
    Images,
    Localizer,
    LocalPacs,
    Manifests,
    Psc,
    Queue,
    Registry,
    Situations,
    Tokens,
    Trust,
    Uids,
    Vihf,
)
from drimbox_ref.consumer.sessions import Sessions
from wire.http_client import HttpClient

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one Consumer. A wrong box is `dataclasses.replace` on this."""

    clock: Clock
    uids: Uids
    # who calls, who logs in
    calls: Calls
    sessions: Sessions
    psc: Psc
    tokens: Tokens
    api: ApiTokens
    """What the DMP's API wants: whether it is asked at all is the option `acces_dmp`."""
    situations: Situations
    # what the DMP is asked
    directory: Directory
    vihf: Vihf
    registry: Registry
    documents: Documents
    authorisations: Authorisations
    manifests: Manifests
    # how images come and go
    trust: Trust
    network: HttpClient
    """The way to Sources, which `images` takes."""
    images: Images
    copies: Copies
    identity: IdentityCheck
    localizer: Localizer
    pacs: LocalPacs
    queue: Queue
    # what is kept
    alerts: Alerts
    audit: Audit
