"""The folder of an installed OHIF: what is checked, what is served, under which policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from starlette.responses import FileResponse

from drimbox_ref.viewer.ohif import Ohif, OhifError, OhifOpening

SCRIPT = 'window.PUBLIC_URL="/ohif/"'
PAGE = (
    f'<html><script>{SCRIPT}</script><script src="/ohif/app-config.js"></script>'
    '<script defer src="/ohif/app.js"></script></html>'
)
OPENING = OhifOpening(
    base="/session/x/ohif", dicomweb="/session/x/dicomweb", mention="D'\"ARC </script> · usage"
)


def make_folder(folder: Path, page: str = PAGE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(page)
    (folder / "app.js").write_text("let a;")
    (folder / "app.js.gz").write_bytes(gzip.compress(b"let a;"))
    (folder / "codec.wasm").write_bytes(b"\0asm")
    (folder / "notes.txt").write_text("not served")
    return folder


def test_the_page_runs_its_own_scripts_and_no_other(tmp_path: Path) -> None:
    answer = Ohif(make_folder(tmp_path)).page(OPENING)
    assert b'<script src="/session/x/ohif/app-config.js">' in answer.body
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    (scripts,) = re.findall(r"script-src ([^;]*);", policy)
    assert scripts.split() == ["'self'", f"'sha256-{digest}'"]
    assert "http" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_the_configuration_knows_this_server_alone(tmp_path: Path) -> None:
    answer = Ohif(make_folder(tmp_path)).configuration(OPENING)
    text = bytes(answer.body).decode()
    assert json.dumps(OPENING.mention) in text
    settings, _ = json.JSONDecoder().raw_decode(text[text.index("...{") + 3 :])
    (source,) = settings["dataSources"]
    roots = {source["configuration"][root] for root in ("qidoRoot", "wadoRoot", "wadoUriRoot")}
    assert roots == {"/session/x/dicomweb"}
    assert settings["routerBasename"] == "/session/x/ohif"
    assert "://" not in text


def test_files_are_served_compressed_where_taken(tmp_path: Path) -> None:
    ohif = Ohif(make_folder(tmp_path))
    script = ohif.file("app.js", encodings=["gzip", "br"])
    assert isinstance(script, FileResponse)
    assert script.headers["content-encoding"] == "gzip"
    assert gzip.decompress(Path(script.path).read_bytes()) == b"let a;"
    assert script.headers["content-type"].startswith("text/javascript")
    assert "'unsafe-eval'" in script.headers["content-security-policy"]
    plain = ohif.file("app.js", encodings=["identity"])
    assert plain is not None
    assert "content-encoding" not in plain.headers
    codec = ohif.file("codec.wasm", encodings=["gzip"])
    assert codec is not None
    assert codec.headers["content-type"] == "application/wasm"
    outside = ("index.html", "notes.txt", "app.js.gz", "../secret.js", "/etc/passwd", "")
    assert [ohif.file(name, encodings=[]) for name in outside] == [None] * len(outside)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (PAGE.replace('URL="/ohif/"', 'URL="/"'), "PUBLIC_URL=/ohif/"),
        ("<html></html>", "PUBLIC_URL=/ohif/"),
        (None, "un dossier où OHIF est construit"),
    ],
)
def test_another_folder_is_refused(tmp_path: Path, page: str | None, said: str) -> None:
    folder = tmp_path if page is None else make_folder(tmp_path, page)
    with pytest.raises(OhifError, match=said):
        Ohif(folder)
