"""Chromium as a professional's browser: scripts run, images are drawn, the screen is photographed.

The driver `chromium` of a profile. It needs the extra `browser` (Playwright) and a Chromium of the
system's or of Playwright's own. It goes by what a page shows, in the bench's words
(`bench.browser`), so a product whose pages speak them needs no driver of its own to be
photographed. What passes is recorded as Chromium tells it; the bodies of images are not.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from bench.browser import Photograph
from bench.outcomes import CannotVerify
from bench.photograph import framed
from simulators.user import CIBA_FIELD, CIBA_FORM, Form, Page, UserConfig, UserError, keys_of
from simulators.user.page import read_page
from wire.exchange import Direction, Exchange, Observe, Outcome, Payload, new_connection_id, stamp

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Playwright, Request, Response
    from playwright.async_api import Page as Tab

__all__ = ["Chromium", "missing"]

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_VIEWPORT = 1280, 800
_LATEST_S = 5.0
"""How long what passed may take to be told, once the page is there."""
_TEXTUAL = ("text/", "application/json", "application/xhtml", "application/javascript")
_PAINTED = "() => Boolean(document.querySelector('.pane.active[data-ready=yes]'))"
_SAYS = """[...document.querySelectorAll('main [role=alert], #alerts')]
  .some((one) => one.textContent.trim())"""
_BEGUN = f"() => ({_PAINTED})() || {_SAYS}"
_SHOWN = f"""(uid) => [...document.querySelectorAll('[aria-current=true]')]
  .some((one) => one.dataset.series === uid && one.textContent.includes('reçue')) || {_SAYS}"""
"""The reference's viewer shows that series, all of it."""
_DRAWN = f"""() => [...document.querySelectorAll('.pane.active .received')]
  .some((one) => one.textContent.includes('100 %')) || {_SAYS}"""
"""The reference's viewer shows an image, then the series to its end, or says why not."""


def missing() -> str:
    """Why there is no Chromium here, in French; "" when there is one."""
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return "pilote « chromium » : Playwright n'est pas installé (extra « browser »)"
    return ""


class Chromium:
    """One browser without window, a single tab, and nothing remembered from another one.

    The certificates of the test authorities are in no store of Chromium's: they are accepted here,
    and judged by the driver that runs no script.

    Raises:
        CannotVerify: Playwright is not installed.
    """

    def __init__(self, config: UserConfig, observe: Observe) -> None:
        if reason := missing():
            raise CannotVerify(reason)
        self._config = config
        self._observe = observe
        self._consumer = ""
        self._calling = False
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._tab: Tab | None = None
        self._status = 0
        self.first_image_s: float | None = None
        self._begun: dict[Request, tuple[datetime, float]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._connections: dict[str, str] = {}
        """Host -> one name: Chromium does not say which of its connections served."""

    # -- the person's gestures ---------------------------------------------------------------

    async def call(self, url: str, body: bytes | Mapping[str, str]) -> Page:
        """The contextual call, as a RIS that opens a browser makes it: a form that posts.

        Raises:
            CannotVerify: no Chromium starts here.
            UserError: no page comes of it.
        """
        self._consumer = urlsplit(url).netloc
        pairs = parse_qsl(body.decode(), True) if isinstance(body, bytes) else body.items()
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in pairs
        )
        tab = await self._open()
        await tab.goto("about:blank")
        await tab.set_content(
            f'<form method="post" accept-charset="utf-8" action="{escape(url)}">{fields}'
            "<button>Appeler</button></form>"
        )
        self._calling = True
        async with self._going():
            await tab.click("button")
        return await self._shown()

    async def get(self, url: str) -> Page:
        """Type an address."""
        tab = await self._open()
        async with self._going():
            await tab.goto(url)
        return await self._shown()

    async def reload(self) -> Page:
        """Ask for the page shown again, by GET."""
        return await self.get(self._page.url)

    async def login(self, professional: str) -> Page:
        """On the login page, choose that national identifier and confirm.

        Raises:
            UserError: the page shown does not offer that professional.
        """
        page = await self._shown()
        for number, form in enumerate(page.forms):
            if any(value == professional for _, value in form.choices):
                name = next(name for name, value in form.choices if value == professional)
                return await self._send(number, form, {name: professional}, "")
            if form.id == CIBA_FORM:
                return await self._send(number, form, {CIBA_FIELD: professional}, "")
        raise UserError(
            f"la page « {page.title} » ({page.url}) ne propose pas de s'identifier "
            f"comme {professional}"
        )

    async def submit(self, form: str, fields: Mapping[str, str | list[str]] | None = None) -> Page:
        """Fill in a form, named by its id, its name or the label of a button, and send it.

        Raises:
            UserError: no such form, field or choice.
        """
        page = await self._shown()
        found = page.form(form)
        if found is None:
            raise UserError(f"aucun formulaire « {form} » sur {page.url}")
        button = "" if form in (found.id, found.name) else form
        return await self._send(page.forms.index(found), found, fields or {}, button)

    async def look(self, series: str = "") -> Page:
        """As `bench.browser.Onlooker` says it, in the viewer of the reference.

        Raises:
            UserError: the page leads to no viewer, or the viewer shows nothing.
        """
        tab = self._page
        self.first_image_s = None
        here = tab.locator(f'[data-series="{series}"]') if series else None
        if here is not None and await tab.locator("#panes").count() and await here.count():
            async with self._going():
                await here.first.click()
                # What was shown before is still there: the tree says when this one is.
                await tab.wait_for_function(_SHOWN, arg=series)
            return await self._shown()
        links = [one for one in (await self._shown()).links if one.label.startswith("Voir")]
        chosen = [one for one in links if not series or series in one.url]
        if not chosen:
            raise UserError(f"aucun lien « Voir » sur {tab.url}")
        begun = stamp()[1]
        async with self._going():
            await tab.goto(chosen[0].url, wait_until="commit")
            await self._watch(begun)
        return await self._shown()

    async def _watch(self, begun: float) -> None:
        """Until the series is there, or the page says why it is not."""
        tab = self._page
        await tab.wait_for_function(_BEGUN)
        if await tab.evaluate(_PAINTED):
            self.first_image_s = stamp()[1] - begun
        await tab.wait_for_function(_DRAWN)

    async def photograph(self) -> Photograph:
        """The page shown, from top to bottom."""
        tab = self._page
        async with self._going():
            taken = await tab.screenshot(full_page=True, animations="disabled")
        return framed(taken, tab.url, stamp()[0])

    async def aclose(self) -> None:
        """End Chromium."""
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()
        self._browser = self._playwright = self._tab = None

    # -- Chromium ----------------------------------------------------------------------------

    @property
    def _page(self) -> Tab:
        if self._tab is None:
            raise UserError("aucune page n'est affichée")
        return self._tab

    async def _open(self) -> Tab:
        """The tab; Chromium starts with the first one.

        Raises:
            CannotVerify: it does not.
        """
        if self._tab is not None:
            return self._tab
        from playwright.async_api import Error, async_playwright

        places = ", ".join(
            f"MAP {name if ':' in name else f'{name}:443'} {to}"
            for name, to in self._config.connect_to.items()
        )
        arguments = [f"--host-resolver-rules={places}"] if places else []
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses its own sandbox to root
        program = next((path for one in _PROGRAMS if (path := shutil.which(one))), None)
        self._playwright = await async_playwright().start()
        try:
            self._browser = await self._playwright.chromium.launch(
                executable_path=program, args=arguments
            )
        except Error as error:
            await self.aclose()
            reason = error.message.strip().partition("\n")[0]
            raise CannotVerify(f"pilote « chromium » : il ne démarre pas ({reason})") from None
        width, height = _VIEWPORT
        context = await self._browser.new_context(
            ignore_https_errors=True, locale="fr-FR", viewport={"width": width, "height": height}
        )
        tab = await context.new_page()
        tab.set_default_timeout(self._config.timeout * 1000)
        tab.on("request", lambda request: self._begun.update({request: stamp()}))
        tab.on("response", self._heard)
        self._tab = tab
        return tab

    @asynccontextmanager
    async def _going(self) -> AsyncIterator[None]:
        """A gesture, until nothing more comes; what Chromium says of a failure is the page's."""
        from playwright.async_api import Error, TimeoutError

        tab = self._page
        try:
            yield
            await tab.wait_for_load_state()
            # A page may look for more by itself; one that never rests is read as it is.
            with suppress(TimeoutError):
                await tab.wait_for_load_state("networkidle")
        except Error as error:
            reason = error.message.strip().partition("\n")[0]
            raise UserError(f"Chromium : {reason} ({tab.url})") from error
        if self._telling:
            await asyncio.wait(self._telling, timeout=_LATEST_S)

    async def _shown(self) -> Page:
        tab = self._page
        text = await tab.content()
        return read_page(self._status, tab.url, "text/html; charset=utf-8", text.encode())

    async def _send(
        self, number: int, form: Form, fields: Mapping[str, str | list[str]], button: str
    ) -> Page:
        """Fill in the form of that place, and press."""
        tab = self._page
        place = tab.locator("form").nth(number)
        # What is folded away is opened first, as a person would.
        await tab.eval_on_selector_all("details", "(all) => all.forEach((one) => one.open = true)")
        async with self._going():
            for name, value in fields.items():
                offered = [choice for owner, choice in form.choices if owner == name]
                values = value if isinstance(value, list) else [value]
                if name not in form.names or (offered and not set(values) <= set(offered)):
                    raise UserError(f"le formulaire ne propose pas {name}={value!r}")
                control = place.locator(f'[name="{name}"]')
                if form.id:  # a control may name its form from elsewhere
                    control = control.or_(tab.locator(f'[form="{form.id}"][name="{name}"]'))
                await _fill(control, values)
            pressed = place.locator("button, input[type=submit]")
            if button:
                pressed = pressed.filter(has_text=button)
            await pressed.first.click()
        return await self._shown()

    # -- what passes -------------------------------------------------------------------------

    def _heard(self, response: Response) -> None:
        if not response.url.startswith("http"):
            return
        if response.request.is_navigation_request():
            self._status = response.status
        task = asyncio.ensure_future(self._tell(response))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, response: Response) -> None:
        """Observe what no service of the bench records."""
        from playwright.async_api import Error

        request = response.request
        host = urlsplit(request.url).netloc
        transaction = "consumer-page" if host == self._consumer else "PSC-login"
        if self._calling and host == self._consumer and request.method == "POST":
            self._calling, transaction = False, "appel-contextuel"
        if host in self._config.recorded_elsewhere:
            return
        utc, mono = self._begun.pop(request, stamp())
        try:
            asked = tuple((one["name"], one["value"]) for one in await request.headers_array())
            head = tuple((one["name"], one["value"]) for one in await response.headers_array())
            body = await self._body(response)
        except Error:
            return  # the page went away before it was told: nothing is known of the rest
        location = response.headers.get("location", "")
        line = f"HTTP/1.1 {response.status} {response.status_text}".rstrip()
        answer = Payload.whole(body or b"", start_line=line, head=head)
        if body is None:
            answer = Payload(start_line=line, head=head, truncated=True)
        path = request.url.partition(host)[2] or "/"
        self._observe(
            Exchange(
                protocol="HTTP",
                actor="user",
                peer=host,
                direction=Direction.OUT,
                outcome=Outcome.ANSWERED,
                connection=self._connections.setdefault(host, new_connection_id()),
                utc=utc,
                mono_start=mono,
                mono_end=stamp()[1],
                transaction=transaction,
                request=Payload.whole(
                    request.post_data_buffer or b"",
                    start_line=f"{request.method} {path} HTTP/1.1",
                    head=asked,
                ),
                response=answer,
                keys=tuple(dict.fromkeys((*keys_of(request.url), *keys_of(location)))),
            )
        )

    @staticmethod
    async def _body(response: Response) -> bytes | None:
        """What can be read in it; None of images."""
        if 300 <= response.status < 400:
            return b""
        if not response.headers.get("content-type", "text/").startswith(_TEXTUAL):
            return None  # nor is its end awaited: a stream that is left never ends
        return await response.body()


async def _fill(control: Locator, values: list[str]) -> None:
    """A list, boxes or a text."""
    kind = await control.first.evaluate(
        "(node) => node.tagName === 'SELECT' ? 'select' : node.type || 'text'"
    )
    match kind:
        case "select":
            await control.first.select_option(values)
        case "radio" | "checkbox":
            for value in values:
                await control.and_(control.page.locator(f'[value="{value}"]')).first.check()
        case "hidden":
            raise UserError("un champ caché ne se remplit pas")
        case _:
            await control.first.fill(values[0])
