"""KOS: the RetrieveURL of each series, where a consumer will ask for the images."""

from __future__ import annotations

from urllib.parse import urlsplit

from validators.examples import kos as example
from validators.kos.reading import Kos
from validators.kos.rules import IMG_KOS, KOS, Findings, dicom, filled
from validators.rule import Broken

__all__: list[str] = []


def _urls(kos: Kos) -> list[tuple[str, str, str, str]]:
    """Study, series, URL and path of every RetrieveURL that is written."""
    return [
        (study, series.text(0x0020000E), series.text(0x00081190), series.where(0x00081190))
        for study, series in kos.series
        if series.text(0x00081190)
    ]


def _url(value: str) -> bytes:
    return example.with_series(retrieve_url=value)


@KOS.rule(
    "KOS-060",
    "Chaque série porte une RetrieveURL",
    reference=IMG_KOS,
    bad=lambda: example.with_series(retrieve_url=None),
)
def has_url(kos: Kos) -> Findings:
    for _, series in kos.series:
        yield from filled(series, 0x00081190, "RetrieveURL")


@KOS.rule(
    "KOS-061",
    "RetrieveURL désigne la série : …/studies/{examen}/series/{série}",
    reference=IMG_KOS,
    bad=lambda: _url(f"https://db900.test.mesimagesmedicales.fr/studies/{example.STUDY}"),
)
def url_path(kos: Kos) -> Findings:
    for study, series, url, where in _urls(kos):
        expected = f"/studies/{study}/series/{series}"
        if not _split(url)[2].endswith(expected):
            yield Broken(
                message="RetrieveURL ne désigne pas la série qui la porte.",
                expected=f"…{expected}",
                actual=url,
                where=where,
            )


def _split(url: str) -> tuple[str, str, str]:
    """Scheme, host and path; empty when they cannot be told apart."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.path
    except ValueError:
        return "", "", ""


_LOCAL = ("localhost", "127.0.0.1", "::1")


@KOS.rule(
    "KOS-062",
    "RetrieveURL est une adresse absolue, d'un hôte",
    reference=IMG_KOS,
    requirements=("DB.SO.18", "DB.SO.90"),
    bad=lambda: _url(f"/studies/{example.STUDY}/series/{example.SERIES}"),
)
def absolute(kos: Kos) -> Findings:
    for _, _, url, where in _urls(kos):
        scheme, host, _ = _split(url)
        if not scheme or not host:
            yield Broken(
                message="RetrieveURL n'est pas une adresse absolue.",
                expected="https://…",
                actual=url,
                where=where,
            )


@KOS.rule(
    "KOS-063",
    "RetrieveURL désigne un hôte que le profil nomme, ou à défaut une autre machine que celle-ci",
    reference=IMG_KOS,
    tolerated=True,
    named_by="image_hosts",
    bad=lambda: _url(f"http://localhost:4200/studies/{example.STUDY}/series/{example.SERIES}"),
)
def url_host(kos: Kos) -> Findings:
    # A published sample has such an address: a bench's, not a mistake of the manifest.
    named = kos.context.demands.image_hosts
    for _, _, url, where in _urls(kos):
        host = _split(url)[1]
        if named and host not in named:
            yield Broken(
                message="RetrieveURL désigne un hôte que le profil ne nomme pas.",
                expected=" | ".join(named),
                actual=url,
                where=where,
            )
        elif not named and host in _LOCAL:
            yield Broken(
                message="RetrieveURL désigne la machine locale : aucun consommateur n'y accède.",
                expected="un hôte de la liste blanche",
                actual=url,
                where=where,
            )


@KOS.rule(
    "KOS-064",
    "RetrieveURL ne porte ni requête, ni fragment, ni identifiants",
    reference=dicom("PS3.18 8.3"),
    bad=lambda: _url(
        f"https://db900.test.mesimagesmedicales.fr/studies/{example.STUDY}"
        f"/series/{example.SERIES}?token=x"
    ),
)
def url_alone(kos: Kos) -> Findings:
    for _, _, url, where in _urls(kos):
        if any(mark in url for mark in "?#@"):
            yield Broken(
                message="RetrieveURL ne doit être qu'un chemin de série.", actual=url, where=where
            )


@KOS.rule(
    "KOS-065",
    "RetrieveURL est en https, ou dans un schéma que le profil nomme",
    reference=IMG_KOS,
    requirements=("DB.SO.18", "DB.SO.90"),
    tolerated=True,
    named_by="schemes",
    bad=lambda: _url(
        f"http://db900.test.mesimagesmedicales.fr/studies/{example.STUDY}/series/{example.SERIES}"
    ),
)
def url_scheme(kos: Kos) -> Findings:
    named = kos.context.demands.schemes or ("https",)
    for _, _, url, where in _urls(kos):
        scheme, host, _ = _split(url)
        # KOS-063 speaks of a local address, which no certificate could prove.
        if scheme and scheme not in named and (host not in _LOCAL or kos.context.demands.schemes):
            yield Broken(
                message="RetrieveURL n'est pas dans le schéma attendu.",
                expected=" | ".join(f"{one}://…" for one in named),
                actual=url,
                where=where,
            )
