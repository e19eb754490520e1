"""A peer that leaves the white list while its connection to a Source is open, or its session alive.

A stranger is listed, and served on a connection that it keeps. The list is published again without
it, and read by the Source: on that connection, or in a session resumed from it, it asks once more.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.attacking import Attacking, Attempt
from bench.mislisting import Mislisting
from bench.outcomes import CannotVerify
from simulators.peer import Retrieved
from spec.wado import KOS_HEADER
from wire.http_backend import Backend
from wire.kept_session import Answered, KeptClient
from wire.tls import ClientTls

__all__ = ["KEPT", "KeptAttacks"]


@dataclass(frozen=True, slots=True)
class _Way:
    """How the stranger comes back."""

    version: ssl.TLSVersion | None
    hangs_up: bool


KEPT: Mapping[str, _Way] = {
    "connexion gardée": _Way(None, hangs_up=False),
    "session TLS 1.2 reprise": _Way(ssl.TLSVersion.TLSv1_2, hangs_up=True),
    "session TLS 1.3 reprise": _Way(ssl.TLSVersion.TLSv1_3, hangs_up=True),
}
"""Words -> the version that is offered, and whether the connection is a new one."""


@dataclass(slots=True)
class KeptAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`, the agency is `mislisting`."""

    attacking: Attacking
    mislisting: Mislisting

    def unlisted_meanwhile(self, words: Iterable[str]) -> None:
        """The first series, in each of these ways, by whom the list no longer names.

        Raises:
            CannotVerify: the agency is a real one, or the stranger is not served while listed.
        """
        self.attacking.play(
            Attempt(words=one, play=lambda one=one: self._come_back(one))  # type: ignore[misc]
            for one in words
        )

    def _come_back(self, words: str) -> Retrieved:
        way = KEPT[words]
        client = self._client(way.version)
        call = self.attacking.imaging.story.bed.call
        try:
            self.mislisting.list_stranger()
            self.mislisting.refresh()
            before = self._ask(client, f"{words}, nommé dans la liste")
            if before.status != 200 or b"DICM" not in before.body:
                if way.version is not None and before.status is None:
                    # The Source does not speak that version: there is nothing to resume.
                    return Retrieved(status=None, tls_reason=before.tls_reason)
                raise CannotVerify(
                    "l'inconnu que nomme une liste juste n'est pas servi : "
                    f"{before.status or before.tls_reason or 'silence'}"
                )
            if way.hangs_up:
                call(client.hang_up)
            self.mislisting.restore()
            answer = self._ask(client, f"{words}, ôté de la liste")
            if answer.status is None and answer.tls_reason == "closed":
                # The Source hung up when the list changed, or does not resume.
                answer = self._ask(client, f"{words}, ôté de la liste, autre connexion")
            return _retrieved(answer)
        finally:
            call(client.hang_up)

    def _ask(self, client: KeptClient, detail: str) -> Answered:
        imaging = self.attacking.imaging
        manners = imaging.good_manners()
        headers = [
            ("Authorization", f"Bearer {manners.token}"),
            (KOS_HEADER, manners.kos_uid or ""),
            *(("Accept", one) for one in manners.accept),
        ]

        async def ask() -> Answered:
            return await client.ask(urlsplit(self._url).path, headers, detail=detail)

        try:
            return imaging.story.bed.call(ask)
        except OSError as error:
            raise CannotVerify(f"la Source n'est pas joignable : {error}") from error

    def _client(self, version: ssl.TLSVersion | None) -> KeptClient:
        bed, url = self.attacking.imaging.story.bed, urlsplit(self._url)
        papers, host = bed.papers.rogues["unlisted"], url.hostname or ""
        return KeptClient(
            Backend(bed.connect_to).where(host, url.port or 443),
            host=host,
            tls=ClientTls(bed.papers.server_trust, papers.certificate, papers.key),
            observe=bed.observe,
            version=version,
        )

    @property
    def _url(self) -> str:
        imaging = self.attacking.imaging
        return imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)


def _retrieved(answer: Answered) -> Retrieved:
    return Retrieved(
        status=answer.status,
        headers=answer.headers,
        text=answer.body[:65536].decode("latin-1"),
        reason="" if answer.status or answer.tls_reason else "silence",
        tls_reason=answer.tls_reason,
    )
