"""The professional at a workstation: makes the contextual call, logs in, reads pages, fills forms.

An HTTP client with a cookie jar that follows redirects and refreshes as browsers do and submits
only what a page offers. It knows no endpoint but the one it calls first: whatever comes after is
what pages and redirects say. It runs no script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from simulators.user.page import Form, Page, read_page
from simulators.user.viewer import images_address
from wire.exchange import Exchange, Observe
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls

__all__ = ["CIBA_FIELD", "CIBA_FORM", "User", "UserConfig", "UserError", "keys_of"]

FORM = "application/x-www-form-urlencoded"
CIBA_FORM, CIBA_FIELD = "connexion-ciba", "identifiant"
"""The form of a page where somebody says who they are, and its field."""
_MAX_REDIRECTS = 20
_MAX_REFRESHES = 60
_LONGEST_REFRESH_S = 5.0
_ATTRIBUTING = (
    "state", "code", "session_state", "nonce", "uuid", "studyUID", "accessionNumber", "idCDA",
)  # fmt: skip
"""Query parameters by which later exchanges are recognised as belonging to the same story."""


class UserError(Exception):
    """The page shown does not offer what the person wanted to do, or there is no page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfig:
    """Whom the browser trusts and how it reaches hosts.

    `recorded_elsewhere`: `host:port` of services of the bench, which record their own side.
    """

    tls: ClientTls | None = None
    connect_to: Mapping[str, str] = field(default_factory=dict)
    recorded_elsewhere: frozenset[str] = frozenset()
    timeout: float = 30.0


class User:
    """One browser session. An async context manager, or `aclose` when done."""

    def __init__(self, config: UserConfig, observe: Observe) -> None:
        self._config = config
        self._observe = observe
        self._page: Page | None = None
        self._consumer = ""
        self._pages = "consumer-page"
        """What exchanges with it are called."""
        self.history: list[tuple[int, str, str]] = []
        """Every answer: status, method, URL."""
        self._client = HttpClient(
            actor="user",
            observe=self._tell,
            tls=config.tls,
            connect_to=config.connect_to,
            timeout=config.timeout,
            cookies=True,
        )

    async def __aenter__(self) -> User:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the browser; cookies are forgotten."""
        await self._client.aclose()

    @property
    def page(self) -> Page:
        """The page shown.

        Raises:
            UserError: none yet.
        """
        if self._page is None:
            raise UserError("aucune page n'est affichée")
        return self._page

    async def call(
        self, url: str, body: bytes | Mapping[str, str], *, content_type: str = FORM
    ) -> Page:
        """The contextual call, then wherever it leads.

        Raises:
            HttpFailure: no answer.
            LocalProtocolError: an address that no request can be sent to.
            UserError: endless redirects, or one that leads nowhere.
        """
        self._consumer = urlsplit(url).netloc
        content = body if isinstance(body, bytes) else urlencode(body).encode("ascii")
        return await self._go(
            "POST", url, content, content_type=content_type, transaction="appel-contextuel"
        )

    async def arrive(self, url: str) -> Page:
        """Follow the link of a report into the viewer of a Source, which all that follows is of.

        Raises:
            HttpFailure: no answer.
            UserError: endless redirects, or one that leads nowhere.
        """
        self._consumer, self._pages = urlsplit(url).netloc, "source-viewer"
        return await self._go("GET", url, transaction="IID")

    async def choose(self, words: str) -> Page:
        """Press what begins with these words, whatever their case: a link, or a button.

        Raises:
            UserError: nothing of the page does.
        """
        wanted = words.casefold()
        for link in self.page.links:
            if link.label.casefold().startswith(wanted):
                return await self._go("GET", link.url)
        for form in self.page.forms:
            for button in form.buttons:
                if button.label.casefold().startswith(wanted):
                    return await self._submit(form, {}, button.label)
        raise UserError(f"rien à choisir qui commence par « {words} » sur {self.page.url}")

    async def get(self, url: str) -> Page:
        """Type an address."""
        return await self._go("GET", url)

    async def reload(self) -> Page:
        """Ask for the page shown again, by GET."""
        return await self._go("GET", self.page.url)

    async def login(self, professional: str) -> Page:
        """On the login page, choose that national identifier and confirm; where a form
        `connexion-ciba` asks for it, say it, and have the page that waits for the telephone.

        Raises:
            UserError: the page shown does not offer that professional.
        """
        for form in self.page.forms:
            for name, value in form.choices:
                if value == professional:
                    return await self._submit(form, {name: professional}, "")
            if form.id == CIBA_FORM:
                return await self._submit(form, {CIBA_FIELD: professional}, "")
        raise UserError(
            f"la page « {self.page.title} » ({self.page.url}) ne propose pas de s'identifier "
            f"comme {professional}"
        )

    async def submit(
        self,
        form: str,
        fields: Mapping[str, str | list[str]] | None = None,
        *,
        button: str = "",
        **more: str | list[str],
    ) -> Page:
        """Fill in a form and send it.

        Args:
            form: its id, its name, or the label of one of its buttons.
            fields: values by name; a list ticks several boxes. `more` adds to it.
            button: label or value of the button pressed, else the one that named the form, else
                the first, as the Enter key does.

        Raises:
            UserError: no such form, field, choice or button.
        """
        found = self.page.form(form)
        if found is None:
            raise UserError(f"aucun formulaire « {form} » sur {self.page.url}")
        if not button and form not in (found.id, found.name):
            button = form
        return await self._submit(found, {**(fields or {}), **more}, button)

    async def follow(self, label: str) -> Page:
        """Click on a link by what is read on it.

        Raises:
            UserError: no such link.
        """
        link = self.page.link(label)
        if link is None:
            raise UserError(f"aucun lien « {label} » sur {self.page.url}")
        return await self._go("GET", link.url)

    async def look(self, series: str = "") -> Page:
        """Open the viewer of the reference on the first exam shown, or on the series of that UID;
        when it is open already, show that series in it.

        What its modules would then do is done here: the images are asked for, all of them.

        Raises:
            UserError: nothing of the page leads there, or the viewer opens on no series.
        """
        page = self.page
        address = images_address(page, series) if series else ""
        if not address:
            links = [link for link in page.links if link.label.startswith("Voir")]
            chosen = [link for link in links if not series or series in link.url]
            if not chosen:
                raise UserError(f"aucun lien « Voir » sur {page.url}")
            page = await self._go("GET", chosen[0].url)
            address = images_address(page)
        if not address:
            raise UserError(f"la page « {page.title} » ({page.url}) n'est pas la visionneuse")
        await self._ask("GET", urljoin(page.url, address), b"", "", self._pages)
        return page

    async def _submit(self, form: Form, fields: Mapping[str, str | list[str]], button: str) -> Page:
        pairs = [(name, value) for name, value in form.fields if name not in fields]
        for name, value in fields.items():
            values = value if isinstance(value, list) else [value]
            offered = [choice for owner, choice in form.choices if owner == name]
            if name not in form.names or (offered and not set(values) <= set(offered)):
                raise UserError(f"le formulaire ne propose pas {name}={value!r}")
            pairs += [(name, each) for each in values]
        pairs += _pressed(form, button)
        if form.method == "GET":
            return await self._go("GET", form.action.partition("?")[0] + "?" + urlencode(pairs))
        if form.method != "POST" or form.enctype != FORM:
            raise UserError(f"formulaire {form.method} {form.enctype} : ce navigateur ne sait pas")
        return await self._go("POST", form.action, urlencode(pairs).encode("ascii"))

    async def _go(
        self,
        method: str,
        url: str,
        content: bytes = b"",
        *,
        content_type: str = FORM,
        transaction: str = "",
    ) -> Page:
        """Load a page, and again as long as it says that it refreshes by itself."""
        page = await self._load(method, url, content, content_type, transaction)
        for _ in range(_MAX_REFRESHES):
            if page.refresh is None:
                break
            await asyncio.sleep(min(page.refresh, _LONGEST_REFRESH_S))
            page = await self._load("GET", page.url, b"", content_type, "")
        return page

    async def _load(
        self, method: str, url: str, content: bytes, content_type: str, transaction: str
    ) -> Page:
        for _ in range(_MAX_REDIRECTS):
            response = await self._ask(method, url, content, content_type, transaction)
            self.history.append((response.status, method, url))
            location = response.headers.get("location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                self._page = read_page(
                    response.status, url, response.headers.get("content-type"), response.body
                )
                return self._page
            try:
                url = urljoin(url, location).partition("#")[0]
            except ValueError as error:
                raise UserError(f"Location illisible : {location!r}") from error
            if response.status not in (307, 308):
                method, content = "GET", b""
            transaction = ""
        raise UserError(f"plus de {_MAX_REDIRECTS} redirections, la dernière vers {url}")

    async def _ask(
        self, method: str, url: str, content: bytes, content_type: str, transaction: str
    ) -> Response:
        headers = [
            ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            ("Accept-Language", "fr"),
        ]
        if method == "POST":
            headers.append(("Content-Type", content_type))
        if not transaction:
            elsewhere = bool(self._consumer) and urlsplit(url).netloc != self._consumer
            transaction = "PSC-login" if elsewhere else self._pages
        return await self._client.request(
            method, url, headers=headers, content=content, transaction=transaction
        )

    def _tell(self, exchange: Exchange) -> None:
        """Observe what no service of the bench records, with the keys that addresses carry."""
        host = exchange.peer
        if host in self._config.recorded_elsewhere:
            return
        keys: list[str] = []
        if exchange.request is not None:
            keys += keys_of(exchange.request.start_line.split(" ")[1])
        if exchange.response is not None:
            keys += keys_of(exchange.response.header("location") or "")
        self._observe(replace(exchange, keys=tuple(dict.fromkeys((*exchange.keys, *keys)))))


def _pressed(form: Form, button: str) -> list[tuple[str, str]]:
    """The field that the pressed button adds."""
    if not button:
        pressed = form.buttons[:1]
    else:
        wanted = button.casefold()
        pressed = tuple(
            each
            for each in form.buttons
            if wanted in (each.label.casefold(), each.value.casefold())
        )[:1]
        if not pressed:
            raise UserError(f"aucun bouton « {button} » dans le formulaire")
    return [(each.name, each.value) for each in pressed if each.name]


def keys_of(url: str) -> list[str]:
    """What an address names by which its exchange is attributed to a story."""
    try:
        values = parse_qs(urlsplit(url).query)
    except ValueError:
        return []
    return [value for name in _ATTRIBUTING for value in values.get(name, ())]
