"""`drimbench client` against a real Source process: images, refusals, signs of life, secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
import pytest

from bench.errors import BenchError
from drimbench.clients import Order
from drimbench.delivery import Delivery
from protocols.multipart import PartBegin, PartData, PartEnd
from tests.drimbox_ref.source.bed import BASE, HOST, Bed, image, publish, running
from validators.api import validate

STUDY = "1.2.250.1.999.30.1"
SERIES = f"{BASE}/studies/{STUDY}/series/{STUDY}.1"


class Site(NamedTuple):
    bed: Bed
    kos: Path
    papers: tuple[str, ...]
    """The options of a DRIMbox that the Source knows."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clients")
    with running(folder) as bed:
        bed.load(STUDY)
        uid = publish(bed, STUDY, "K1")
        (stored,) = (one for one in bed.documents(STUDY) if one.entry.unique_id == uid)
        kos = folder / "kos.dcm"
        kos.write_bytes(stored.content)
        yield Site(bed, kos, (*reach(bed), *shown(bed.peer)))


def reach(bed: Bed) -> tuple[str, ...]:
    wado = bed.addresses["wado"]
    return "--trust", str(bed.trust.market_trust), "--connect-to", f"{HOST}={wado}"


def shown(files: Any) -> tuple[str, ...]:
    return "--certificate", str(files.certificate), "--key", str(files.key)


def client(*arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "client", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "JETON": token},
    )


def test_a_manifest_is_fetched_series_by_series(site: Site, tmp_path: Path) -> None:
    token = site.bed.token()
    done = client(
        *("wado-rs", str(site.kos), "--host", HOST, "--token", "env:JETON"),
        *("--output", str(tmp_path / "images"), "--json", *site.papers),
        token=token,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = json.loads(done.stdout)
    assert (first["status"], first["images"], first["complete"]) == (200, 3, True)
    assert (first["verdict"], first["request"]["verdict"]) == ("pass", "pass")
    assert first["transfer_syntaxes"] == {"Explicit VR Little Endian": 3}
    assert first["tls"]["common_name"] == HOST
    assert second["url"].endswith(f"{STUDY}.2")
    files = sorted((tmp_path / "images").rglob("*.dcm"))
    assert [file.stem for file in files] == [
        f"{STUDY}.{series}.{number}" for series in (1, 2) for number in (1, 2, 3)
    ]
    assert {str(pydicom.dcmread(file).StudyInstanceUID) for file in files} == {STUDY}
    captures = list((tmp_path / "images").rglob("*.http"))
    assert len(captures) == 4
    assert not any(token.encode() in file.read_bytes() for file in captures)
    asked = (tmp_path / "images" / "serie-001" / "demande.http").read_bytes()
    assert validate(asked, "wado-request").findings == ()
    answered = (tmp_path / "images" / "serie-001" / "reponse.http").read_bytes()
    assert answered.startswith(b"HTTP/1.1 200")


def test_what_is_wrong_is_said(site: Site) -> None:
    """A refusal between two answers of the same Source."""
    asked = ("wado-rs", SERIES, "--kos", str(site.kos), "--token", "env:JETON", *site.papers)
    good = site.bed.token()
    assert client(*asked, token=good).returncode == 0
    refused = client(*asked, token=good[:-4] + "AAAA")
    assert refused.returncode == 1
    assert "401" in refused.stdout
    assert good[:-4] not in refused.stdout + refused.stderr
    again = client(*asked, token=good)
    assert again.returncode == 0
    assert "3 images" in again.stdout
    assert "demande : conforme" in again.stdout
    stranger = client("wado-rs", SERIES, *reach(site.bed))
    assert stranger.returncode == 1
    assert "pas de réponse" in stranger.stdout


def test_signs_of_life(site: Site) -> None:
    by_method = {
        one["method"]: one
        for one in json.loads(client("healthcheck", BASE, "--json", *site.papers).stdout)
    }
    assert by_method["OPTIONS"]["verdict"] == "pass"
    assert by_method["OPTIONS"]["response"]["findings"] == []
    assert by_method["GET"]["verdict"] in ("omit", "pass")
    site_is_up = client("healthcheck", BASE, "--method", "options", *site.papers)
    assert site_is_up.returncode == 0
    nobody = client("healthcheck", "http://127.0.0.1:9/rs")
    assert nobody.returncode == 1
    assert "connexion refusée" in nobody.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("wado-rs", "http://a.example/s", "--token", "env:JETON"), "https"),
        (("wado-rs", "https://a.example/s", "--token", "env:RIEN"), "RIEN"),
        (("wado-rs", "https://u:p@a.example/s"), "mot de passe"),
        (("wado-rs", "ftp://a.example/s"), "ftp://a.example/s"),
        (("wado-rs", "https://a.example/s", "--key", "k.pem"), "--certificate"),
        (("wado-rs", "https://a.example/s", "--trust", __file__), "PEM"),
        (("wado-rs", "https://a.example/s", "--connect-to", "ici"), "hôte[:port]"),
        (("wado-rs", __file__), "KOS attendu"),
        (("healthcheck", "ici"), "http(s)://"),
    ],
)
def test_what_may_not_leave(arguments: tuple[str, ...], told: str) -> None:
    done = client(*arguments, token="abc.def.ghi")
    assert done.returncode == 64, done.stdout
    assert told in done.stderr
    assert "abc.def" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_manifest_leads_nowhere_else(site: Site) -> None:
    with pytest.raises(BenchError, match=f"--host {HOST}"):
        Order.of(str(site.kos), None, None, ())
    assert len(Order.of(str(site.kos), None, None, ("*.drimbench.test",)).urls) == 2


def test_a_token_is_never_told(tmp_path: Path) -> None:
    with pytest.raises(BenchError) as caught:
        Order.of("https://a.example/s", None, "secret.secret.secret", ())
    assert "secret" not in str(caught.value)
    file = tmp_path / "jeton"
    file.write_text("Bearer abc\n")
    with pytest.raises(BenchError, match="Bearer"):
        Order.of("https://a.example/s", None, str(file), ())
    file.write_text("abc.def\n")
    order = Order.of("https://a.example/s", None, str(file), ())
    assert order.token == "abc.def"
    assert "abc" not in repr(order)


def test_nothing_that_comes_is_lost(tmp_path: Path) -> None:
    """Two parts of one name, one that is no image, one that is cut."""
    file = image(STUDY, 1, 1)
    delivery = Delivery(tmp_path)
    for content in (file, file, b"<html>"):
        delivery(PartBegin(()))
        delivery(PartData(content))
        delivery(PartEnd(len(content)))
    delivery(PartBegin(()))
    delivery(PartData(b"half"))
    delivery.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{STUDY}.1.1.dcm": file,
        "partie-00002.bin": file,
        "partie-00003.bin": b"<html>",
        "partie-00004.bin": b"half",
    }
