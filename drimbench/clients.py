"""What `drimbench client` asks for, with whose papers, and of whom: checked before it leaves."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import certifi
from rich.console import Console

from bench.asking import Answer, Asker, Manifest, Probe, read_manifest
from bench.errors import BenchError
from drimbench.answers import keep
from drimbench.delivery import Delivery
from protocols.dicomweb import format_accept
from protocols.errors import RemoteProtocolError
from protocols.multipart import Event, PartEnd
from simulators.peer import Manners
from spec.wado import LOSSLESS_PROFILE, LOSSY_PROFILE
from validators.api import Context
from wire.tls import ClientTls, client_context

__all__ = ["Means", "Order", "ask_images", "ask_life"]

NETWORK = "*.mesimagesmedicales.fr"
"""Where the RetrieveURLs of the network lead (FAQ DRIM-M, domain names of the DRIMboxes)."""

_ADDRESS = re.compile(r"[^=\s]+=[^=\s]+:[0-9]{1,5}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How a Source is reached."""

    tls: ClientTls
    connect_to: dict[str, str]
    timeout: float

    @classmethod
    def of(
        cls,
        trust: Path | None,
        certificate: Path | None,
        key: Path | None,
        connect_to: Sequence[str],
        timeout: float,
    ) -> Means:
        """Check the files by making a TLS context of them.

        Raises:
            BenchError: a file that is not what it should be, or an address that is none.
        """
        if (certificate is None) != (key is None):
            raise BenchError("--certificate et --key vont ensemble")
        tls = ClientTls(trust or Path(certifi.where()), certificate, key)
        try:
            client_context(tls)
        except (OSError, ssl.SSLError) as error:
            files = " ou ".join(str(file) for file in (trust, certificate, key) if file)
            raise BenchError(f"{files} : PEM attendu ({error})") from None
        for one in connect_to:
            if not _ADDRESS.fullmatch(one):
                raise BenchError(f"--connect-to {one} : attendu hôte[:port]=adresse:port")
        return cls(
            tls=tls,
            connect_to=dict(one.split("=", 1) for one in connect_to),
            timeout=timeout,
        )

    def asker(self) -> Asker:
        """A client with these means."""
        return Asker(tls=self.tls, connect_to=self.connect_to, timeout=self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for. A token leaves for no other host than those allowed, and over TLS."""

    urls: tuple[str, ...]
    manifest: Manifest | None
    token: str | None = field(repr=False)

    @classmethod
    def of(
        cls, target: str, kos_file: Path | None, token: str | None, hosts: Sequence[str]
    ) -> Order:
        """Read the command line's words.

        Args:
            target: an URL, or the file of a KOS.
            token: `env:NAME` or a file; a token on a command line is everybody's.
            hosts: patterns of host names where a KOS may lead.

        Raises:
            BenchError: what cannot be read, or may not leave.
        """
        if "://" in target:
            manifest = _manifest(kos_file) if kos_file else None
            urls: tuple[str, ...] = (target,)
            allowed: Sequence[str] = ("*",)
        else:
            if kos_file is not None:
                raise BenchError("--kos accompagne une URL ; un KOS se donne seul")
            manifest = _manifest(Path(target))
            urls = manifest.urls
            allowed = hosts or (NETWORK,)
        secret = _secret(token)
        for url in urls:
            _check(url, allowed, secret=secret is not None)
        return cls(urls=urls, manifest=manifest, token=secret)


def ask_images(
    order: Order,
    means: Means,
    purpose: Literal["export", "viewing"],
    accept: Sequence[str],
    output: Path | None,
    console: Console,
) -> list[Answer]:
    """Ask for each URL of the order in turn; images and exchanges go to `output`.

    Raises:
        BenchError: `output` cannot be written.
    """
    profile = LOSSLESS_PROFILE if purpose == "export" else LOSSY_PROFILE
    manners = Manners(
        token=order.token,
        kos_uid=order.manifest.uid if order.manifest else None,
        accept=tuple(accept) or format_accept(profile),
    )
    asker = means.asker()

    async def ask(url: str, folder: Path | None, title: str) -> Answer:
        context = Context(
            purpose=purpose,
            kos=order.manifest.data if order.manifest else b"",
            target=urlsplit(url).path,
        )
        with _receiving(folder, title, console) as receive:
            answer = await asker.images(url, manners, context=context, watch=receive)
        if folder is not None:
            keep(answer, folder)
        return answer

    answers = []
    try:
        for rank, url in enumerate(order.urls, 1):
            folder = output / f"serie-{rank:03}" if output and len(order.urls) > 1 else output
            answers.append(asyncio.run(ask(url, folder, f"[{rank}/{len(order.urls)}]")))
    except OSError as error:
        raise BenchError(f"{error.filename or output} : {error.strerror or error}") from None
    return answers


def ask_life(url: str, probes: Sequence[Probe], means: Means) -> list[Answer]:
    """Ask in each of these ways.

    Raises:
        BenchError: no HTTP address.
    """
    _check(url, ("*",), secret=False)
    asker = means.asker()

    async def ask() -> list[Answer]:
        return [await asker.life(url, probe) for probe in probes]

    return asyncio.run(ask())


def _manifest(file: Path) -> Manifest:
    try:
        return read_manifest(file.read_bytes())
    except OSError as error:
        raise BenchError(f"{file} : illisible ({error.strerror})") from None
    except RemoteProtocolError as error:
        raise BenchError(f"{file} : KOS attendu : {error}") from None


def _secret(given: str | None) -> str | None:
    if given is None:
        return None
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        token = os.environ.get(name, "").strip()
        if not token:
            raise BenchError(f"la variable d'environnement {name} n'est pas définie, ou est vide")
    else:
        try:
            token = Path(given).read_text(encoding="ascii").strip()
        except OSError as error:
            # The name is not told: it may well be the token itself.
            raise BenchError(
                f"--token attend env:NOM ou un fichier, illisible ici ({error.strerror})"
            ) from None
        except UnicodeDecodeError:
            raise BenchError("--token : le fichier n'est pas de l'ASCII") from None
    if not _TOKEN.fullmatch(token):
        raise BenchError("--token : un jeton d'une ligne est attendu, sans « Bearer » ni espace")
    return token


def _check(url: str, allowed: Sequence[str], *, secret: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BenchError(f"{url} : adresse illisible ({error})") from None
    if parts.scheme not in ("http", "https") or not host:
        raise BenchError(f"{url} : attendu http(s)://hôte[:port]/chemin")
    if parts.username is not None:
        raise BenchError("une adresse ne porte ni nom ni mot de passe")
    if secret and parts.scheme != "https":
        raise BenchError(f"{url} : un jeton ne part qu'en https")
    if not any(fnmatchcase(host, pattern.lower()) for pattern in allowed):
        raise BenchError(
            f"le KOS mène à {host}, hors de {', '.join(allowed)} : permettez-le par --host {host}"
        )


@contextmanager
def _receiving(folder: Path | None, title: str, console: Console) -> Iterator[_Receiver]:
    """Write what comes and show how far it is, where somebody looks."""
    receiver = _Receiver(Delivery(folder) if folder else None, title, console)
    try:
        yield receiver
    finally:
        receiver.close()


class _Receiver:
    """Sees the events of a body, and hands them to the disk and to the eye."""

    def __init__(self, delivery: Delivery | None, title: str, console: Console) -> None:
        self._delivery = delivery
        self._title = title
        self._status = console.status(f"{title} demande…") if console.is_terminal else None
        self._parts = 0
        if self._status is not None:
            self._status.start()

    def __call__(self, event: Event) -> None:
        if self._delivery is not None:
            self._delivery(event)
        if self._status is not None and isinstance(event, PartEnd):
            self._parts += 1
            self._status.update(f"{self._title} {self._parts} images reçues")

    def close(self) -> None:
        if self._delivery is not None:
            self._delivery.close()
        if self._status is not None:
            self._status.stop()
