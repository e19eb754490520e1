"""`Parts`: everything the Source is assembled from, each part replaceable on its own."""

from __future__ import annotations

from dataclasses import dataclass

from drimbox_ref.source.ports import (
    Acknowledger,
    Alerts,
    Archive,
    Audit,
    Bearer,
    Catalogue,
    Clock,
    Directory,
    Door,
    Examinations,
    Guests,
    Images,
    Inbox,
    Intake,
    KeyNotes,
    KosBuilder,
    Links,
    Matcher,
    Metadata,
    Negotiator,
    Notices,
    Outbox,
    Paths,
    Registry,
    Reports,
    Revocation,
    Showcase,
    Stamper,
    Tokens,
    Transcoder,
    Trust,
    Uids,
    Versions,
    ViewerPages,
    Vihf,
)

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one Source. A wrong box is `dataclasses.replace` on this."""

    clock: Clock
    uids: Uids
    # what comes from the RIS
    intake: Intake
    reports: Reports
    versions: Versions
    acknowledger: Acknowledger
    # what comes from the PACS of its own accord
    notices: Notices
    # what becomes a KOS
    examinations: Examinations
    key_notes: KeyNotes
    matcher: Matcher
    kos: KosBuilder
    # what goes to the DMP
    directory: Directory
    metadata: Metadata
    vihf: Vihf
    registry: Registry
    # what is kept
    inbox: Inbox
    outbox: Outbox
    archive: Archive
    alerts: Alerts
    audit: Audit
    # who may have images, and how they are served
    door: Door
    showcase: Showcase
    trust: Trust
    revocation: Revocation
    bearer: Bearer
    tokens: Tokens
    paths: Paths
    catalogue: Catalogue
    images: Images
    stamper: Stamper
    negotiator: Negotiator
    transcoder: Transcoder
    # who follows the link of a report, and what they are shown
    links: Links
    guests: Guests
    viewer_pages: ViewerPages
