"""Who may have which images: the checks of a WADO-RS request, in the order of the draft REM.

Peer on the white list, certificate still good, token, profession, KOS, series, representation. The
first that fails decides; none of them touches the PACS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drimbox_ref.revocation import Standing
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import Accepted, Denied, Representation, Served, TrustVerdict
from protocols.dicomweb import Resource
from protocols.errors import RemoteProtocolError
from protocols.oauth import thumbprint, thumbprint_in_hex
from spec.wado import AUTHORIZATION_HEADER, KOS_HEADER

__all__ = ["AccessControl", "AccessRequest", "Granted", "Refused"]

_REALM = 'Bearer realm="DRIMbox"'
_THUMBPRINTS: Mapping[str, tuple[Callable[[bytes], str], ...]] = {
    "ignore": (),
    "rfc": (thumbprint,),
    "ans": (thumbprint, thumbprint_in_hex),
}
"""Option `cnf` -> the forms of a thumbprint that are accepted, each compared whole."""


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

    def __init__(
        self, parts: Parts, *, professions: Sequence[str], binding: str = "ignore"
    ) -> None:
        """`binding`: what `cnf` is compared with, as the option `cnf` says."""
        self._parts = parts
        self._thumbprints = _THUMBPRINTS[binding]
        self._professions = frozenset(professions)

    async def decide(self, request: AccessRequest) -> Granted | Refused:
        """The first refusal, or what is granted."""
        untrusted = self._peer(request) or await self._standing(request)
        if untrusted:
            return untrusted
        token = self._parts.bearer.read(request.all(AUTHORIZATION_HEADER))
        if isinstance(token, Denied):
            return _refused(token)
        verdict = await self._parts.tokens.check(token, now=self._parts.clock.now())
        if isinstance(verdict, Denied):
            return _refused(verdict)
        if not self._holds(verdict, request.peer_certificate):
            return _refused(
                Denied(
                    status=401,
                    error="invalid_token",
                    message="Le jeton est lié à un autre certificat.",
                ),
                verdict.subject,
            )
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

    def _holds(self, token: Accepted, certificate: bytes | None) -> bool:
        """Whether a token that is bound is shown by whom it is bound to (RFC 8705 3)."""
        if token.bound_to is None or not self._thumbprints:
            return True
        return certificate is not None and token.bound_to in {
            thumbprint_of(certificate) for thumbprint_of in self._thumbprints
        }

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

    async def _standing(self, request: AccessRequest) -> Refused | None:
        """The client certificate still holds: this connection may be older than its revocation."""
        if request.peer_certificate is None:
            return None  # the white list has had its say
        standing = await self._parts.revocation.judge(request.peer_certificate)
        if standing is Standing.GOOD:
            return None
        if standing is Standing.UNKNOWN:
            return Refused(
                status=503,
                message="La révocation du certificat client est invérifiable : accès suspendu.",
                headers=(("Retry-After", "5"),),
            )
        reason = "révoqué" if standing is Standing.REVOKED else "hors de validité"
        return Refused(status=403, message=f"Certificat client {reason}.")

    async def _images(self, request: AccessRequest, subject: str) -> Granted | Refused:
        values = request.all(KOS_HEADER)
        if len(values) != 1 or not values[0].strip():
            return Refused(status=400, message=f"En-tête {KOS_HEADER} exigé, une seule fois.")
        try:
            resource = self._parts.paths.read(request.path)
        except RemoteProtocolError as error:
            return Refused(status=400, message=f"Chemin illisible : {error}")
        if resource.prefix or not _is_served(resource):
            return Refused(status=404, message="Cette ressource DICOMweb n'est pas servie.")
        kos_uid = values[0].strip()
        served = await asyncio.to_thread(self._parts.catalogue.resolve, resource, kos_uid)
        if isinstance(served, Denied):
            return _refused(served)
        representation = self._parts.negotiator.read(resource, request.all("Accept"))
        if isinstance(representation, Denied):
            return _refused(representation)
        return Granted(
            subject=subject,
            resource=resource,
            kos_uid=kos_uid,
            served=served,
            representation=representation,
        )


def _is_served(resource: Resource) -> bool:
    """Objects and metadata at every level, frames of an instance; nothing rendered."""
    if resource.frames:
        return not resource.suffix and 0 not in resource.frames
    return resource.suffix in ("", "metadata")


def _refused(denied: Denied, subject: str = "") -> Refused:
    headers: tuple[tuple[str, str], ...] = ()
    if denied.status == 401 or denied.error:
        error = f', error="{denied.error}"' if denied.error else ""
        headers = (("WWW-Authenticate", f"{_REALM}{error}"),)
    if denied.status == 503:
        headers = (("Retry-After", "5"),)
    return Refused(status=denied.status, message=denied.message, headers=headers, subject=subject)
