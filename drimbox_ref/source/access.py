"""Who may have which images: the checks of a WADO-RS request, in the order of the draft REM.

Peer on the white list, token, profession, KOS, series, representation. The first that fails
decides; none of them touches the PACS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import Denied, Served, TrustVerdict
from protocols.dicomweb import (
    ANY_TRANSFER_SYNTAX,
    Preference,
    Resource,
    parse_accept,
    parse_path,
    ranked,
)
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.wado import AUTHORIZATION_HEADER, KOS_HEADER, MEDIA_TYPE, MULTIPART_RELATED

__all__ = ["AccessControl", "AccessRequest", "Granted", "Refused", "Representation"]

_REALM = 'Bearer realm="DRIMbox"'


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A WADO-RS request as the checks see it. `path` is below the service root."""

    path: str
    headers: tuple[tuple[str, str], ...]
    peer_certificate: bytes | None

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a header, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Representation:
    """The transfer syntaxes that the client takes; `any` takes whatever there is."""

    syntaxes: frozenset[str]
    any: bool = False

    def takes(self, transfer_syntax: str) -> bool:
        """Whether an instance in that syntax may be sent."""
        return self.any or transfer_syntax in self.syntaxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """All checks passed."""

    subject: str
    resource: Resource
    kos_uid: str
    served: Served
    representation: Representation


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer to give: status, French text without internals, headers."""

    status: int
    message: str
    headers: tuple[tuple[str, str], ...] = ()
    subject: str = ""


class AccessControl:
    """Runs the checks."""

    def __init__(self, parts: Parts, *, professions: Sequence[str]) -> None:
        self._parts = parts
        self._professions = frozenset(professions)

    async def decide(self, request: AccessRequest) -> Granted | Refused:
        """The first refusal, or what is granted."""
        untrusted = self._peer(request)
        if untrusted:
            return untrusted
        token = self._parts.bearer.read(request.all(AUTHORIZATION_HEADER))
        if isinstance(token, Denied):
            return _refused(token)
        verdict = await self._parts.tokens.check(token, now=self._parts.clock.now())
        if isinstance(verdict, Denied):
            return _refused(verdict)
        if not self._professions & set(verdict.professions):
            return Refused(
                status=403,
                message="Votre profession n'est pas autorisée à consulter ces images.",
                subject=verdict.subject,
            )
        granted = await self._images(request, verdict.subject)
        if isinstance(granted, Refused):
            return Refused(
                status=granted.status,
                message=granted.message,
                headers=granted.headers,
                subject=verdict.subject,
            )
        return granted

    def _peer(self, request: AccessRequest) -> Refused | None:
        """The client certificate's DN is on the white list (TLS has verified its chain)."""
        verdict = self._parts.trust.judge(request.peer_certificate, now=self._parts.clock.now())
        if verdict is TrustVerdict.UNKNOWN:
            return Refused(status=403, message="Certificat client de DRIMbox exigé.")
        if verdict is TrustVerdict.NO_LIST:
            return Refused(
                status=503, message="La liste blanche n'est pas disponible : accès suspendu."
            )
        if verdict is TrustVerdict.UNLISTED:
            return Refused(
                status=403, message="Cette DRIMbox n'est pas dans la liste blanche DRIM-M."
            )
        return None

    async def _images(self, request: AccessRequest, subject: str) -> Granted | Refused:
        values = request.all(KOS_HEADER)
        if len(values) != 1 or not values[0].strip():
            return Refused(status=400, message=f"En-tête {KOS_HEADER} exigé, une seule fois.")
        try:
            resource = parse_path(request.path)
        except RemoteProtocolError as error:
            return Refused(status=400, message=f"Chemin illisible : {error}")
        if resource.prefix or resource.suffix or resource.frames:
            return Refused(status=404, message="Cette ressource DICOMweb n'est pas servie.")
        kos_uid = values[0].strip()
        served = await asyncio.to_thread(self._parts.catalogue.resolve, resource, kos_uid)
        if isinstance(served, Denied):
            return _refused(served)
        try:
            representation = _representation(parse_accept(request.all("Accept")))
        except RemoteProtocolError as error:
            return Refused(status=400, message=f"En-tête Accept illisible : {error}")
        if not representation.any and not representation.syntaxes:
            return Refused(
                status=406,
                message="Aucune représentation acceptable : multipart/related; "
                'type="application/dicom" est servi.',
            )
        return Granted(
            subject=subject,
            resource=resource,
            kos_uid=kos_uid,
            served=served,
            representation=representation,
        )


def _refused(denied: Denied) -> Refused:
    headers: tuple[tuple[str, str], ...] = ()
    if denied.status == 401:
        error = f', error="{denied.error}"' if denied.error else ""
        headers = (("WWW-Authenticate", f"{_REALM}{error}"),)
    if denied.status == 503:
        headers = (("Retry-After", "5"),)
    return Refused(status=denied.status, message=denied.message, headers=headers)


def _representation(preferences: Sequence[Preference]) -> Representation:
    """What the client takes; no Accept at all means the default, Explicit VR Little Endian
    (DICOM PS3.18 8.7.3.5.2)."""
    if not preferences:
        return Representation(frozenset({EXPLICIT_VR_LITTLE_ENDIAN}))
    syntaxes = set()
    for preference in ranked(preferences):
        if preference.media_type in ("*/*", "multipart/*"):
            syntaxes.add(EXPLICIT_VR_LITTLE_ENDIAN)
        elif preference.media_type == MULTIPART_RELATED and preference.part_type in (
            None,
            MEDIA_TYPE,
        ):
            if preference.transfer_syntax == ANY_TRANSFER_SYNTAX:
                return Representation(frozenset(), any=True)
            syntaxes.add(preference.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN)
    return Representation(frozenset(syntaxes))
