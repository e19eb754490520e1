"""Getting one series whole: trust, token, retrieval, what is wrong with an image, second attempts.

A transfer that was cut is asked for again, and what had arrived whole is kept. A refusal is not: it
would be the same, and the Source has said what it thinks.

Réf.: renew and replay once after 401, CI-SIS API PSC error flows, grade: sample; INS compared,
DB.CO.68, local IPP in the local copy, DB.CO.77, grade: draft; Retry-After, RFC 9110 10.2.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.trust import require_listed
from drimbox_ref.consumer.values import Call, Exam, ExportFailed, Failure, Received, Series, Use
from drimbox_ref.psc import PscUnavailable
from drimbox_ref.psc_login import LoginExpired
from protocols.dicom import split_part10
from spec.dicom import STORAGE_SOP_CLASSES

__all__ = ["Fetcher", "Order"]

_SOP_CLASSES = frozenset(STORAGE_SOP_CLASSES)
_LONGEST_WAIT_S = 30.0
"""A Source that asks for more patience than that is said to be unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One series, for whom and what for."""

    call: Call
    login: Login
    exam: Exam
    series: Series
    use: Use


class Fetcher:
    """Fetches series from Sources.

    Args:
        limit: bytes that one series may take on disk.
        retries: how many times a transfer that failed on its way is made again.
        wait_s: seconds before the first of these, doubled each time.
    """

    def __init__(self, parts: Parts, *, limit: int, retries: int, wait_s: float) -> None:
        self._parts = parts
        self._limit = limit
        self._retries = retries
        self._wait_s = wait_s

    async def fetch(self, order: Order, into: Path, show: Callable[[Received], None]) -> None:
        """Every instance of the series in `into`, each shown once it is known to be right.

        Raises:
            ExportFailed: the series is not whole. What was shown stays where it is.
        """
        parts = self._parts
        host = address_of(order.exam, order.series).host
        await require_listed(parts.trust, host, clock=parts.clock)
        try:
            await self._insist(order, _Sieve(parts, order, show), into)
        except LoginExpired as error:
            raise ExportFailed(
                Failure.LOGIN,
                "Votre session Pro Santé Connect est terminée : reconnectez-vous.",
            ) from error
        except PscUnavailable as error:
            raise ExportFailed(
                Failure.LOGIN, "Pro Santé Connect ne répond pas : le jeton n'a pu être renouvelé."
            ) from error

    async def _insist(self, order: Order, sieve: _Sieve, into: Path) -> None:
        """Attempts, until one ends well or there is no reason for another."""
        tokens = self._parts.tokens
        token = await tokens.access(order.login)
        number, retried, replaced = 1, 0, False
        while True:
            try:
                return await self._attempt(order, token, sieve, into / str(number))
            except ExportFailed as refused:
                number += 1
                if refused.failure is Failure.TOKEN and not replaced:
                    replaced = True
                    token = await tokens.replace(order.login, token)
                    continue
                if refused.again is None or retried == self._retries:
                    raise
                wait = max(refused.again, self._wait_s * 2**retried)
                if wait > _LONGEST_WAIT_S:
                    raise
            retried += 1
            await asyncio.sleep(wait)
            token = await tokens.access(order.login)

    async def _attempt(self, order: Order, token: str, sieve: _Sieve, into: Path) -> None:
        await asyncio.to_thread(into.mkdir, parents=True)
        sieve.begin()
        await self._parts.images.retrieve(
            order.exam,
            order.series,
            token,
            use=order.use,
            into=into,
            limit=self._limit,
            accept=sieve.take,
        )
        announced = len(order.series.instances)
        missing = announced - len(sieve.kept)
        if missing:
            raise _retrieval(
                f"{missing} image(s) sur {announced} manque(nt) à la série {order.series.uid}"
            )


class _Sieve:
    """Lets an image through once: when it is in the KOS, storable, and this patient's."""

    def __init__(self, parts: Parts, order: Order, show: Callable[[Received], None]) -> None:
        self._parts = parts
        self._order = order
        self._show = show
        self._seen: set[str] = set()
        self.kept: set[str] = set()

    def begin(self) -> None:
        """Another attempt: the Source may give again what it gave before."""
        self._seen.clear()

    def take(self, image: Received) -> None:
        """Show the image, unless an earlier attempt brought it.

        Raises:
            ExportFailed: it cannot be taken, nor anything of the series with it.
        """
        if image.sop_class not in _SOP_CLASSES:
            raise ExportFailed(
                Failure.SOP_CLASS,
                f"La SOP Class {image.sop_class} d'un objet reçu n'est pas prise en charge.",
            )
        if image.sop_instance not in self._order.series.instances:
            raise _retrieval("la Source a rendu une image que le KOS ne référence pas")
        if image.sop_instance in self._seen:
            raise _retrieval("la Source a rendu deux fois la même image")
        self._seen.add(image.sop_instance)
        differs = self._parts.identity.check(image, self._order.call.ins)
        if differs:
            raise ExportFailed(
                Failure.IDENTITY,
                f"Alerte d'identité : {differs}. Rien de cet examen n'est montré ni exporté.",
            )
        if image.sop_instance in self.kept:
            image.path.unlink()
            return
        self.kept.add(image.sop_instance)
        self._show(self._local(image))

    def _local(self, image: Received) -> Received:
        """The file as the structure knows its patient (DB.CO.77); one is in memory at a time."""
        data = image.path.read_bytes()
        received = split_part10(data).dataset
        local = self._parts.localizer.localize(received, image.transfer_syntax, self._order.call)
        written = data[: len(data) - len(received)] + local
        image.path.write_bytes(written)
        return replace(image, size=len(written))


def _retrieval(why: str) -> ExportFailed:
    return ExportFailed(Failure.RETRIEVAL, f"Erreur de récupération : {why}.")
