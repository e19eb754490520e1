"""Sources that take the report for theirs to publish."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pybase64

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Metadata, Reports, Uids
from drimbox_ref.source.values import (
    Exam,
    FoundStudy,
    Kos,
    Order,
    Refusal,
    ReportOrder,
    Submission,
)
from mutants.registry import mutant
from mutants.source.passing import PassingMetadata, PassingReports
from protocols.ebrim import Association, Code, build_provide, build_submit, parse_submit
from protocols.hl7v2 import parse
from protocols.xml import parse as parse_xml
from protocols.xml import serialize
from protocols.xmlsig import LotReference, sign_lot
from spec.xds import AssociationType

__all__: list[str] = []

_REPORT = "DocumentCR"


class Keeping(PassingReports):
    """`Reports` that keep the documents that they read."""

    def __init__(self, inner: Reports) -> None:
        super().__init__(inner)
        self.documents: dict[str, bytes] = {}

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """As it should."""
        order = super().read(message)
        if not isinstance(order, Refusal):
            document = next(one for one in parse(message).all("OBX") if one.field(2).value == "ED")
            encoded = document.field(5).component(5).text
            self.documents[order.control_id] = pybase64.b64decode(encoded)
        return order


class Republishing(PassingMetadata):
    """A `Metadata` that adds the report to each lot, under an identifier of its own."""

    def __init__(self, inner: Metadata, reports: Keeping, uids: Uids) -> None:
        super().__init__(inner)
        self._reports = reports
        self._uids = uids

    def feed(
        self,
        report: ReportOrder,
        exam: Exam,
        kos: Kos,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        replaces: str | None,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """The right lot and one document more, signed with the others."""
        right = super().feed(
            report,
            exam,
            kos,
            study,
            orders,
            replaces=replaces,
            credentials=credentials,
            now=now,
        )
        document, uid = self._reports.documents[report.control_id], self._uids.oid()
        lot = parse_submit(parse_xml(right.request))
        described, signed = lot.entries
        entry = replace(
            described,
            id=_REPORT,
            mime_type="text/xml",
            hash=_sha1(document),
            size=str(len(document)),
            title="CR d'imagerie médicale",
            comments="",
            type_code=Code("18748-4", "2.16.840.1.113883.6.1", "CR d'imagerie médicale"),
            format_code=Code(
                "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", "CDA, corps pdf"
            ),
            unique_id=uid,
        )
        signature = sign_lot(
            [LotReference(kos.uid, kos.data), LotReference(uid, document)],
            submission_set_uid=right.set_uid,
            signature_uid=f"ID-{signed.unique_id}",
            key=credentials.sign_key,
            certificates=credentials.sign_chain,
            signing_time=now,
            algorithm="sha256",
        )
        entries = (
            described,
            entry,
            replace(signed, hash=_sha1(signature), size=str(len(signature))),
        )
        member = next(one for one in lot.associations if one.type == AssociationType.HAS_MEMBER)
        links: list[Association] = [
            # Named anew: what is written again takes the names of what it was read from.
            replace(one, id="")
            for one in (*lot.associations, replace(member, target=_REPORT))
        ]
        (kos_cid, kos_kind, _), (sign_cid, sign_kind, _) = right.attachments
        cids = {described.id: kos_cid, _REPORT: f"cr.{uid}@drimbox", signed.id: sign_cid}
        return replace(
            right,
            request=serialize(
                build_provide(lot.submission_set, entries, links, cids), declaration=False
            ),
            attachments=(
                (kos_cid, kos_kind, kos.data),
                (sign_cid, sign_kind, signature),
                (cids[_REPORT], "text/xml", document),
            ),
            metadata=serialize(build_submit(lot.submission_set, entries, links)),
        )


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@mutant(
    "republie-le-compte-rendu",
    breaks="Chaque lot porte, avec le KOS, le compte rendu que le RIS a déjà publié.",
    requirements=("KIT-COMPTE-RENDU",),
    # An export that keeps the KOS alone is not the lot that was signed.
    consequences=("DB.SO.22", "DB.SO.29"),
)
def report_published_again(parts: Parts) -> Parts:
    """The patient has each report twice, and one of them is never withdrawn."""
    reports = Keeping(parts.reports)
    return replace(
        parts, reports=reports, metadata=Republishing(parts.metadata, reports, parts.uids)
    )
