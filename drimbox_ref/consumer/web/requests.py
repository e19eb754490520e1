"""Reading what a browser or a RIS sends, and the two answers that every subject gives."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from drimbox_ref.consumer.calls import MAX_BODY
from drimbox_ref.consumer.values import CallRefused

__all__ = ["read_body", "read_fields", "read_form", "see_other", "set_cookie"]


_MOST_FIELDS = 1100
"""A box to tick for each exam of a page, of which there may be 1,000; every modality and region."""


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


async def read_fields(request: Request) -> Mapping[str, list[str]]:
    """The fields of one of our own forms, each with all its values, empty ones left out.

    Raises:
        HTTPException: 400, unreadable.
    """
    try:
        text = (await read_body(request)).decode("ascii")
        return parse_qs(text, max_num_fields=_MOST_FIELDS, errors="strict")
    except (CallRefused, ValueError):
        raise HTTPException(400, "Formulaire illisible.") from None


async def read_form(request: Request) -> Mapping[str, str]:
    """The same where each field has one value: the last.

    Raises:
        HTTPException: 400, unreadable.
    """
    return {name: values[-1] for name, values in (await read_fields(request)).items()}


def see_other(path: str) -> Response:
    """Go on there with a GET."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def set_cookie(answer: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """A cookie that scripts and other sites do not get."""
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )
