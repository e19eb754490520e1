"""Depublication at the DMP itself, in the name of the structure that published (TD3.1b, TD3.3c).

Who speaks is who spoke at the publication: its VIHF is written again, of now, and signed by the
structure's own certificate. Réf.: GIE SESAM-Vitale TD3.3c messages, grade: sample; IHE ITI TF
Vol. 2, 3.57 and 3.18, grade: standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from lxml import etree

from bench.errors import BenchError
from bench.withdrawing import Publication
from protocols import saml
from protocols.dn import dn
from simulators.igc import Credential, CredentialFiles
from simulators.ris.described import SET
from simulators.ris.dmp_client import DmpClient
from wire.exchange import Observe
from wire.tls import ClientTls

__all__ = ["Depublisher", "Signatory", "signatory"]


@dataclass(frozen=True, slots=True)
class Signatory:
    """A structure's certificates: ORG AUTH_CLI for TLS, ORG SIGN for the VIHF."""

    tls: CredentialFiles
    sign: Credential


def signatory(folder: Path, structure: str) -> Signatory:
    """The certificates that a folder keeps for a structure, named as `[world] pki` names them.

    Raises:
        BenchError: it has none, or none that can be used; names the files.
    """
    wanted = f"auth-{structure} et sign-{structure} (.pem et .key)"
    try:
        sign = Credential.read(folder, f"sign-{structure}")
        Credential.read(folder, f"auth-{structure}")
    except (OSError, ValueError) as error:
        raise BenchError(f"{folder} : {wanted} attendus : {error}") from None
    tls = CredentialFiles(folder / f"auth-{structure}.pem", folder / f"auth-{structure}.key")
    return Signatory(tls, sign)


class Depublisher:
    """A client of one DMP for one structure. An async context manager.

    Args:
        url: the root of the DMP's services (`.../v2/services`).
        trust: PEM file of who certifies its server.
        uuid: mints message ids and the uniqueId of lots.
    """

    def __init__(
        self,
        url: str,
        *,
        trust: Path,
        who: Signatory,
        observe: Observe,
        clock: Callable[[], datetime],
        uuid: Callable[[], UUID],
        connect_to: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._who = who
        self._clock = clock
        self._uuid = uuid
        self._dmp = DmpClient(
            url,
            actor="banc",
            observe=observe,
            tls=ClientTls(trust, who.tls.certificate, who.tls.key),
            uuid=uuid,
            named=True,
            connect_to=connect_to,
            timeout=timeout,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._dmp.aclose()

    async def depublish(self, published: Publication) -> str:
        """Find the KOS by its uniqueId, and mark it Deleted; returns its entryUUID.

        Raises:
            DmpRefusal: unknown to the DMP, refused, or no answer.
        """

        def assertion() -> etree._Element:
            return self._assertion(published)

        uuid = await self._dmp.find(published.kos_uid, assertion)
        lot = replace(
            published.lot,
            id=SET,
            submission_time=f"{self._clock():%Y%m%d%H%M%S}",
            unique_id=f"2.25.{self._uuid().int}",
            status="",
            home="",
        )
        await self._dmp.delete(lot, uuid, assertion, published.kos_uid)
        return uuid

    def _assertion(self, published: Publication) -> etree._Element:
        now, certificate = self._clock(), self._who.sign.certificate
        again = replace(
            published.assertion,
            id=f"_{self._uuid()}",
            issue_instant=now,
            authn_instant=now,
            not_before=None,
            not_on_or_after=None,
            issuer=dn(certificate),
        )
        return saml.build(again, key=self._who.sign.key, certificate=certificate)
