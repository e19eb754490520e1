"""The page's server: three views to read, one address to post to, on 127.0.0.1 alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlencode

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bench.bed import Bed
from bench.errors import BenchError
from drimbench.counter.captured import Captured, Choice
from drimbench.counter.faults import menus
from drimbench.counter.guard import Guard, Token
from drimbench.counter.state import panels
from reports.templating import environment, policy, source
from wire.exchange import ignore
from wire.http_server import HttpServer, serve_http

__all__ = ["Page", "open_page"]

_MAX_FORM = 4096


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is served. It lives in the bed's loop: close it before the bed stops."""

    url: str
    bed: Bed
    server: HttpServer

    def close(self) -> None:
        """Stop serving."""
        self.bed.call(self.server.stop)


def open_page(bed: Bed, port: int) -> Page:
    """Serve the page of a standing bed; port 0 takes a free one.

    Raises:
        BenchError: the port is taken.
    """
    guard = Guard(_Views(bed).application())

    async def begin() -> HttpServer:
        return await serve_http(guard, actor="page", observe=ignore, port=port)

    try:
        server = bed.call(begin)
    except OSError as error:
        raise BenchError(f"page locale, port {port} : {error.strerror}") from None
    guard.port = server.port
    return Page(f"{server.url}/", bed, server)


class _Views:
    """What is answered. Reading is done in a thread: the DMP's database is not the loop's."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._token = Token()
        self._menus = {menu.id: menu for menu in menus(bed)}
        self._captured = Captured(bed)
        self._templates = environment()
        assert self._templates.loader is not None
        own = jinja2.PackageLoader("drimbench.counter", "templates")
        self._templates.loader = jinja2.ChoiceLoader([own, self._templates.loader])
        style = source(self._templates, "style.css") + source(self._templates, "counter.css")
        script = source(self._templates, "follow.js")
        self._policy = policy(
            style, script, "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'"
        )
        self._shared = {"style": Markup(style), "script": Markup(script)}

    def application(self) -> Starlette:
        """The ASGI application, still to be guarded."""
        return Starlette(
            routes=[
                Route("/", self._state, methods=["GET"]),
                Route("/echanges", self._exchanges, methods=["GET"]),
                Route("/echanges/{id}", self._exchange, methods=["GET"]),
                Route("/pannes", self._set, methods=["POST"]),
            ]
        )

    def _state(self, request: Request) -> Response:
        by_simulator: dict[str, list[tuple[object, str]]] = {}
        for menu in self._menus.values():
            by_simulator.setdefault(menu.simulator, []).append((menu, menu.now()))
        return self._rendered(
            "state.html.j2",
            panels=tuple(panels(self._bed)),
            menus=by_simulator,
            token=self._token.value,
            boxes=self._boxes(),
            current=self._captured.listing(Choice()),
        )

    def _exchanges(self, request: Request) -> Response:
        choice = Choice.read(request.query_params)
        return self._rendered(
            "exchanges.html.j2", choice=asdict(choice), listing=self._captured.listing(choice)
        )

    def _exchange(self, request: Request) -> Response:
        found = self._captured.view(request.path_params["id"])
        if found is None:
            return PlainTextResponse("Cet échange n'est plus dans la page.", 404)
        return self._rendered("exchange.html.j2", m=found)

    async def _set(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM:
                return PlainTextResponse("Formulaire trop long.", 413)
        form = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=None))
        if not self._token.proves(form):
            return PlainTextResponse("Ce formulaire n'est pas de cette page : la recharger.", 403)
        menu, choice = self._menus.get(form.get("menu", "")), form.get("choix", "")
        if menu is None or choice not in menu.choices:
            return PlainTextResponse("Panne inconnue.", 400)
        await menu.set(choice)
        return RedirectResponse(f"/#{menu.simulator}", 303)

    def _boxes(self) -> tuple[tuple[str, str], ...]:
        """The addresses of the product that the profile knows."""
        profile = self._bed.profile
        spoken = {"source": "Source", "consumer": "Consommatrice"}
        return tuple(
            (f"{spoken[role]}, {name}", address)
            for role in sorted(self._bed.claimed, reverse=True)
            for name in ("mllp", "wado", "dicom", "web", "admin")
            if (address := getattr(getattr(profile, role), name, ""))
        )

    def _rendered(self, template: str, **values: object) -> Response:
        shown = {**self._shared, **values, "profile": self._bed.profile, "with_": _with}
        text = self._templates.get_template(template).render(shown)
        return HTMLResponse(text, headers={"content-security-policy": self._policy})


def _with(choice: dict[str, str], **changed: str) -> str:
    """The address of the list for another choice."""
    names = {"transaction": "transaction", "actor": "acteur", "outcome": "issue", "text": "texte"}
    asked = {names[key]: value for key, value in {**choice, **changed}.items() if value}
    return f"/echanges?{urlencode(asked)}" if asked else "/echanges"
