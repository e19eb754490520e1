"""Where a scenario's images are put: the PACS that the bench simulates, or the product's own.

A native product has its PACS within: images enter it as a modality would send them, by C-STORE
or STOW-RS. The bench keeps a copy of all that it loads: what the product must then show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydicom.dataset import Dataset

from bench.outcomes import CannotVerify
from bench.ports import Pacs
from protocols import stow
from protocols.dicom import split_part10
from protocols.errors import LocalProtocolError, RemoteProtocolError
from simulators.pacs import Archive as Held
from simulators.pacs import Instance
from wire.dimse import DimseClient, DimseFailure, DimsePeer, StoreRequest, is_failure
from wire.dimse.messages import SUCCESS
from wire.exchange import Observe, ignore
from wire.http_client import HttpClient, HttpFailure, Response
from wire.tls import ClientTls

__all__ = [
    "MODALITY",
    "Archive",
    "ProductPacs",
    "Reader",
    "Sender",
    "Simulated",
    "by_c_get",
    "by_c_store",
    "by_stow",
]

MODALITY = "KITMODALITY"
"""The AE title that sends images to a product."""

Sender = Callable[[Sequence[bytes]], dict[str, str]]
"""Sends Part 10 files; SOPInstanceUID -> why it was not taken, in French, empty when all were."""

Reader = Callable[[Instance], Instance]
"""What an archive holds under the UIDs of an instance that it took.

Raises:
    DimseFailure, RemoteProtocolError: it does not give it.
"""


class Archive(Protocol):
    """Something that images can be put into."""

    def load(self, files: Sequence[bytes]) -> None:
        """Put Part 10 files there.

        Raises:
            CannotVerify: it does not take them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Simulated:
    """The site's PACS: the bench's own, in memory, or what stands in for a real one."""

    pacs: Pacs

    def load(self, files: Sequence[bytes]) -> None:
        """Put them there."""
        for file in files:
            self.pacs.load(file)


@dataclass(frozen=True, slots=True)
class ProductPacs:
    """The PACS of a native product; `copy` is what the bench knows to be in it."""

    send: Sender
    copy: Pacs

    def load(self, files: Sequence[bytes]) -> None:
        """Send them, and keep a copy of what was taken.

        Raises:
            CannotVerify: some were not.
        """
        refused = self.send(files)
        for file in files:
            if split_part10(file).sop_instance not in refused:
                self.copy.load(file)
        if refused:
            first, why = next(iter(refused.items()))
            raise CannotVerify(
                f"le PACS du produit n'a pas pris {len(refused)} image(s) sur {len(files)} : "
                f"{first} : {why}"
            )


def by_c_store(peer: DimsePeer, observe: Observe, *, timeout: float) -> Sender:
    """Images sent by C-STORE, one association for all."""
    client = DimseClient(MODALITY, actor="modalité", observe=observe, timeout=timeout)

    def send(files: Sequence[bytes]) -> dict[str, str]:
        try:
            statuses = client.store(peer, files)
        except (DimseFailure, LocalProtocolError) as error:
            raise CannotVerify(f"C-STORE vers {peer.ae_title} : {error}") from error
        return {
            split_part10(file).sop_instance: f"statut C-STORE {status:#06x}"
            for file, status in zip(files, statuses, strict=True)
            if is_failure(status)
        }

    return send


def by_c_get(peer: DimsePeer, *, timeout: float) -> Reader:
    """Images asked back by C-GET, in the transfer syntax in which they were sent.

    It is no exchange of a box: nobody observes it.
    """
    client = DimseClient(MODALITY, actor="modalité", observe=ignore, timeout=timeout)

    def ask(sent: Instance) -> Instance:
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "IMAGE"
        identifier.StudyInstanceUID = sent.study_uid
        identifier.SeriesInstanceUID = sent.series_uid
        identifier.SOPInstanceUID = sent.sop_instance
        came: list[StoreRequest] = []

        def keep(request: StoreRequest) -> int:
            came.append(request)
            return SUCCESS

        client.get(peer, identifier, storage={sent.sop_class: [sent.transfer_syntax]}, store=keep)
        if not came:
            raise DimseFailure("status", "aucune image rendue")
        return Held().add(came[0].dataset, transfer_syntax=came[0].transfer_syntax)

    return ask


def by_stow(
    url: str,
    observe: Observe,
    *,
    tls: ClientTls | None,
    run: Callable[[Callable[[], Awaitable[Response]]], Response],
    timeout: float,
) -> Sender:
    """Images sent by STOW-RS in one request to `url`, the root of a DICOMweb service.

    `run` waits for a coroutine function, as `Bed.call` does.
    """
    target = f"{url.rstrip('/')}/studies"

    def send(files: Sequence[bytes]) -> dict[str, str]:
        boundary = f"kit-{hashlib.sha256(b''.join(files)).hexdigest()}"
        content = b"".join(stow.body(files, boundary))

        async def post() -> Response:
            client = HttpClient(actor="modalité", observe=observe, tls=tls, timeout=timeout)
            async with client:
                return await client.request(
                    "POST",
                    target,
                    headers=(
                        ("Content-Type", stow.content_type(boundary)),
                        ("Accept", stow.ANSWER_TYPE),
                    ),
                    content=content,
                    transaction="STOW-RS",
                    peer="source",
                    keys=tuple(split_part10(file).sop_instance for file in files),
                )

        try:
            answer = run(post)
        except (HttpFailure, LocalProtocolError) as error:
            raise CannotVerify(f"STOW-RS vers {target} : {error}") from error
        return _untaken(answer, files)

    return send


def _untaken(answer: Response, files: Sequence[bytes]) -> dict[str, str]:
    """PS3.18 10.5.3: 200 when all were stored, 202 when some, 409 or 400 when none."""
    kind = answer.headers.get("content-type").partition(";")[0].strip().lower()
    failed: dict[str, str] = {}
    if kind in (stow.ANSWER_TYPE, "application/json"):
        try:
            said = stow.read_answer(answer.body)
        except RemoteProtocolError as error:
            raise CannotVerify(str(error)) from error
        failed = {
            uid: f"FailureReason {reason:#06x}" if reason is not None else "refusée"
            for uid, reason in said.failed.items()
        }
    if answer.status in (200, 202) or failed:
        return failed
    return {split_part10(file).sop_instance: f"HTTP {answer.status}" for file in files}
