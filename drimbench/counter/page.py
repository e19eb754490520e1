"""The page's server: three views to read, one address to post to, on 127.0.0.1 alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlencode

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from bench.bed import Bed
from bench.errors import BenchError
from drimbench.counter.captured import Captured, Choice
from drimbench.counter.faults import menus
from drimbench.counter.guard import Guard, Token
from drimbench.counter.planned import as_json, ask, from_form, plan, sentence
from drimbench.counter.state import panels
from reports.templating import environment, policy, source
from simulators.ans import Weather
from wire.exchange import ignore
from wire.faults import BadFault, Faults
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


def open_page(bed: Bed, port: int, weather: Weather | None = None) -> Page:
    """Serve the page of a standing bed, and of the weather if any; port 0 takes a free one.

    Raises:
        BenchError: the port is taken.
    """
    guard = Guard(_Views(bed, weather).application())

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

    def __init__(self, bed: Bed, weather: Weather | None) -> None:
        self._bed = bed
        self._weather = weather
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
                Route("/pannes/poser", self._place, methods=["POST"]),
                Route("/pannes/oter", self._remove, methods=["POST"]),
                Route("/pannes.json", self._told, methods=["GET"]),
                Route("/pannes.json", self._commanded, methods=["POST", "DELETE"]),
            ]
        )

    def _state(self, request: Request) -> Response:
        by_simulator: dict[str, list[tuple[object, str]]] = {}
        for menu in self._menus.values():
            by_simulator.setdefault(menu.simulator, []).append((menu, menu.now()))
        return self._rendered(
            "state.html.j2",
            panels=tuple(panels(self._bed, self._weather)),
            menus=by_simulator,
            faults=self._bed.simulators.faults,
            sentence=sentence,
            plan=plan,
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
        form = await _form(request, self._token)
        if isinstance(form, Response):
            return form
        menu, choice = self._menus.get(form.get("menu", "")), form.get("choix", "")
        if menu is None or choice not in menu.choices:
            return PlainTextResponse("Panne inconnue.", 400)
        await menu.set(choice)
        return RedirectResponse(f"/#{menu.simulator}", 303)

    async def _place(self, request: Request) -> Response:
        """A fault that is set from a form of the page."""
        form = await _form(request, self._token)
        if isinstance(form, Response):
            return form
        simulator = form.get("simulateur", "")
        try:
            ask(self._faults(simulator), from_form(form))
        except BadFault as error:
            return PlainTextResponse(f"Panne refusée : {error}.", 400)
        return RedirectResponse(f"/#{simulator}", 303)

    async def _remove(self, request: Request) -> Response:
        """A fault that is removed from a form of the page; all of a simulator without a number."""
        form = await _form(request, self._token)
        if isinstance(form, Response):
            return form
        simulator, number = form.get("simulateur", ""), form.get("numero", "")
        try:
            self._faults(simulator).clear(int(number) if number else None)
        except ValueError as error:
            return PlainTextResponse(f"Panne inconnue : {error}.", 400)
        return RedirectResponse(f"/#{simulator}", 303)

    def _told(self, request: Request) -> Response:
        """The menus and what was set, for a program; and the token that its commands need."""
        simulators = {name: as_json(one) for name, one in self._bed.simulators.faults.items()}
        return JSONResponse({"token": self._token.value, "simulators": simulators})

    async def _commanded(self, request: Request) -> Response:
        """What a program asks: POST sets a fault, DELETE removes one, or all."""
        body = await _body(request)
        if isinstance(body, Response):
            return body
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return _refused("objet JSON attendu", 400)
        if not self._token.proves({"jeton-page": asked.get("token")}):
            return _refused("jeton de la page attendu", 403)
        try:
            faults = self._faults(str(asked.get("simulator", "")))
            if request.method == "POST":
                return JSONResponse({"id": ask(faults, asked)}, 201)
            number = asked.get("id")
            if isinstance(number, bool) or not isinstance(number, int | None):
                raise BadFault(f"id : nombre entier attendu, « {number} » donné")
            return JSONResponse({"cleared": faults.clear(number)})
        except BadFault as error:
            return _refused(str(error), 400)

    def _faults(self, simulator: str) -> Faults:
        """The faults of a simulator.

        Raises:
            BadFault: there is none of that name, or it is a real neighbour.
        """
        known = self._bed.simulators.faults
        if simulator not in known:
            expected = ", ".join(known) or "aucun n'est simulé"
            raise BadFault(f"simulateur {simulator or 'absent'} inconnu (attendu : {expected})")
        return known[simulator]

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


async def _body(request: Request) -> bytes | Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return PlainTextResponse("Formulaire trop long.", 413)
    return bytes(body)


async def _form(request: Request, token: Token) -> dict[str, str] | Response:
    """A form of ours, or why it is refused."""
    body = await _body(request)
    if isinstance(body, Response):
        return body
    form = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=None))
    if not token.proves(form):
        return PlainTextResponse("Ce formulaire n'est pas de cette page : la recharger.", 403)
    return form


def _refused(why: str, status: int) -> Response:
    return JSONResponse({"error": why}, status)


def _with(choice: dict[str, str], **changed: str) -> str:
    """The address of the list for another choice."""
    names = {"transaction": "transaction", "actor": "acteur", "outcome": "issue", "text": "texte"}
    asked = {names[key]: value for key, value in {**choice, **changed}.items() if value}
    return f"/echanges?{urlencode(asked)}" if asked else "/echanges"
