"""Who comes for what: the context of an address, the login of a cookie, and whether they match."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.trail import AuditEvent

__all__ = ["BROWSER_COOKIE", "LOGIN_COOKIE", "LOGIN_EVENT", "Visits"]

LOGIN_COOKIE = "__Host-drimbox"
BROWSER_COOKIE = "__Host-drimbox-navigateur"
"""Binds a login under way to the browser that began it; says nothing of who is logged in."""
LOGIN_EVENT = "UserAuthentication"
"""DICOM PS3.15 A.5.3.12 (DB.CO.80)."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{43}")


class Visits:
    """What the handlers of every subject begin with. Routes of a context have an `{id}`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sessions = parts.sessions

    def context(self, request: Request) -> Context:
        """The context of the address.

        Raises:
            HTTPException: 404, unknown or over.
        """
        context = self._sessions.context(request.path_params["id"])
        if context is None:
            raise HTTPException(404, "Cet appel est inconnu ou terminé : relancez-le dans le RIS.")
        return context

    def login(self, request: Request, *, activity: bool = True) -> Login | None:
        """Who is logged in; `activity` is false for what a page asks by itself."""
        return self._sessions.login(request.cookies.get(LOGIN_COOKIE, ""), activity=activity)

    def browser(self, request: Request) -> str:
        """Which browser this is; "" when it has no identifier of ours yet."""
        found = request.cookies.get(BROWSER_COOKIE, "")
        return found if _IDENTIFIER.fullmatch(found) else ""

    def claim(self, context: Context, login: Login) -> None:
        """The context is this professional's from now on.

        Raises:
            HTTPException: 403, it is somebody else's.
        """
        if not self._sessions.claim(context, login):
            raise HTTPException(403, "Cet appel a été ouvert par un autre professionnel.")

    def entered(self, request: Request, *, activity: bool = True) -> tuple[Context, Login | None]:
        """The context and who acts on it; without a login, the page will ask for one.

        Raises:
            HTTPException: as `context` and `claim`.
        """
        context = self.context(request)
        login = self.login(request, activity=activity)
        if login is not None:
            self.claim(context, login)
        return context, login

    async def audit(
        self,
        event: str,
        failure: str,
        *,
        subject: str = "",
        patient: str = "",
        objects: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what happened at the door; `failure` is "" for a success."""
        record = AuditEvent(
            event=event,
            outcome=4 if failure else 0,
            description=failure,
            subject=subject,
            patient=patient,
            objects=objects or {},
        )
        await asyncio.to_thread(self._parts.audit.record, record, now=self._parts.clock.now())
