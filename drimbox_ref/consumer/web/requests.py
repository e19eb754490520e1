"""Reading what a browser or a RIS sends, and the two answers that every subject gives."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from drimbox_ref.consumer.calls import MAX_BODY
from drimbox_ref.consumer.values import CallRefused

__all__ = ["read_body", "read_form", "see_other", "set_cookie"]


async def read_body(request: Request) -> bytes:
    """The body of a request, whatever size the peer would send.

    Raises:
        CallRefused: too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise CallRefused("appel contextuel démesuré", status=413)
    return bytes(body)


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of one of our own forms.

    Raises:
        HTTPException: 400, unreadable.
    """
    try:
        text = (await read_body(request)).decode("ascii")
        return dict(parse_qsl(text, max_num_fields=20))
    except (CallRefused, ValueError):
        raise HTTPException(400, "Formulaire illisible.") from None


def see_other(path: str) -> Response:
    """Go on there with a GET."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def set_cookie(answer: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """A cookie that scripts and other sites do not get."""
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )
