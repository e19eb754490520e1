"""The hardening page tells the truth: each place exists, each default is what is loaded."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

import drimbox_ref.source.config as source_config
from drimbox_ref.config import Table, read_listen, read_psc, read_whitelist
from drimbox_ref.consumer import pages
from drimbox_ref.limits import read_limits
from drimbox_ref.source import viewer_pages
from drimbox_ref.viewer import dicomweb, ohif
from drimbox_ref.viewer import page as viewer_page
from wire.tls import ClientTls, client_context

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/durcissement.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("|")]
NUMBERED = [line for line in LINES if re.match(r"\| \d+ \|", line)]
PLACES = sorted(set(re.findall(r"`([\w/]+\.(?:py|toml)):([^`]+)`", PAGE)))


def line(begins: str) -> str:
    """The row of the page that begins so."""
    (found,) = [one for one in LINES if one.startswith(f"| {begins} |")]
    return found


def spaced(number: float) -> str:
    return f"{int(number):,}".replace(",", " ")


def test_every_open_point_has_its_row() -> None:
    assert [int(one.split("|")[1]) for one in NUMBERED] == list(range(1, 22))


@pytest.mark.parametrize(("file", "word"), PLACES)
def test_a_place_exists(file: str, word: str) -> None:
    assert word in (ROOT / file).read_text(encoding="utf-8")


def table(tmp_path: Path, section: str, *paths: str, **values: Any) -> Table:
    """A configuration that says no more than it must."""
    for name in paths:
        (tmp_path / name).touch()
        values[name] = str(tmp_path / name)
    return Table(tmp_path / "box.toml", "", {section: values})


def test_the_white_list(tmp_path: Path) -> None:
    told = {"url": "https://ans.test/l", "signer_cn": "x", "signer_ou": "y"}
    found = read_whitelist(table(tmp_path, "whitelist", "trust", "igc_trust", **told))
    assert f"{spaced(found.refresh_s)} s" in line("2")
    assert f"{spaced(found.max_age_s)} s" in line("17")
    assert found.revocation == "crl"


def test_the_token(tmp_path: Path) -> None:
    told = {"issuer": "https://psc.test", "professions": ["10"]}
    found = read_psc(table(tmp_path, "psc", "trust", "certificate", "key", **told))
    assert f"`keep_s` = {found.keep_s}" in line("9")


def test_the_options_and_the_transfers(tmp_path: Path) -> None:
    options = source_config._options(Table(tmp_path / "box.toml", "", {}))
    assert f"`{options.cnf}` ;" in line("8")
    assert options.revocation == "crl"
    told = {"public_url": "https://db.test/dicom-web"}
    wado = source_config._wado(table(tmp_path, "wado", "certificate", "key", "client_ca", **told))
    assert f"| {wado.simultaneous}, puis 503" in line("transferts simultanés")


def test_the_rate_and_the_address(tmp_path: Path) -> None:
    nothing = Table(tmp_path / "box.toml", "", {})
    assert f"{spaced(read_limits(nothing).per_minute)} par minute" in line(
        "demandes d'un même pair"
    )
    assert f"| {read_listen(nothing, 'admin').host} " in line("écoute")


def test_tls() -> None:
    context = client_context(ClientTls(Path(certifi.where())))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    old = [one for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"]
    assert old
    assert all(one["aead"] and one["kea"] == "kx-ecdhe" for one in old)


WHOLE = {
    "consumer": pages.HEADERS,
    "viewer": viewer_page.HEADERS,
    "dicomweb": dicomweb.HEADERS,
    "link": viewer_pages.HEADERS,
}


@pytest.mark.parametrize("headers", [*WHOLE.values(), ohif._HEADERS], ids=[*WHOLE, "ohif"])
def test_every_page_protects_itself(headers: dict[str, str]) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("headers", WHOLE.values(), ids=list(WHOLE))
def test_pages_are_neither_cached_nor_open_to_scripts(headers: dict[str, str]) -> None:
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
