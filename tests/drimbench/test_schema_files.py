"""`--xsd` and `--schematron`: read in one folder, compiled once, told with the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from bench.errors import BenchError
from bench.verdicts import Verdict
from drimbench import schema_files
from drimbench.judged_junit import as_junit
from drimbench.judging import judge_files
from drimbench.sarif import as_sarif
from drimbench.schema_files import Folder, compiled, load_schemas
from validators.api import KINDS
from validators.examples import cda, kos
from validators.supplied import XML_KINDS, SchemaError, subject

SCH = "http://purl.oclc.org/dsdl/schematron"
MAIN = f"""<schema xmlns="{SCH}" queryBinding="xslt2"><ns prefix="cda" uri="urn:hl7-org:v3"/>
<include href="Parts/title.sch"/></schema>"""
PART = f"""<pattern xmlns="{SCH}" id="titre"><rule context="cda:title">
<assert test=". = document('codes.xml')//code" id="T1">titre hors de la liste</assert>
</rule></pattern>"""
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3">
<xs:element name="ClinicalDocument"><xs:complexType><xs:sequence>
<xs:any maxOccurs="{most}" minOccurs="0" processContents="skip"/></xs:sequence>
<xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schema in two files, its list of codes, an XSD, and two documents."""
    here = tmp_path / "schemas"
    (here / "parts").mkdir(parents=True)
    title = cda_title()
    (here / "main.sch").write_text(MAIN)
    (here / "parts" / "Title.sch").write_text(PART)
    (here / "codes.xml").write_text(f"<codes><code>{title}</code></codes>")
    (here / "good.xsd").write_text(XSD.format(most="unbounded"))
    (here / "bad.xsd").write_text(XSD.format(most="1"))
    (tmp_path / "good.xml").write_bytes(cda.document())
    (tmp_path / "bad.xml").write_bytes(cda.document().replace(title.encode(), b"Autre titre", 1))
    return here


def cda_title() -> str:
    return etree.fromstring(cda.document()).findtext("{urn:hl7-org:v3}title") or ""


def test_an_xsd_judges_beside_our_rules(folder: Path) -> None:
    document = str(folder.parent / "good.xml")
    (good,) = judge_files([document], schemas=load_schemas([folder / "good.xsd"], []))
    (bad,) = judge_files([document], schemas=load_schemas([folder / "bad.xsd"], []))
    assert (good.verdict, bad.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert {one.rule for one in bad.findings} == {"USER-XSD/ELEMENT_CONTENT"}


def test_a_schematron_judges_beside_our_rules(folder: Path) -> None:
    pytest.importorskip("saxonche", reason="l'extra « schematron » n'est pas installé")
    schemas = load_schemas([], [folder / "main.sch"])
    names = [str(folder.parent / name) for name in ("good.xml", "bad.xml")]
    good, bad = judge_files(names, schemas=schemas)
    assert good.verdict is Verdict.PASS
    assert bad.verdict is Verdict.FAIL
    (found,) = [one for one in bad.findings if one.rule.startswith("USER-")]
    assert (found.rule, found.message) == ("USER-SCH/T1", "titre hors de la liste")
    assert found.where.startswith("/ClinicalDocument/title (ligne ")


def test_the_floor_and_the_other_formats_know_supplied_schemas(folder: Path) -> None:
    judged = judge_files(
        [str(folder.parent / "good.xml")], schemas=load_schemas([folder / "bad.xsd"], [])
    )
    (run,) = as_sarif(judged)["runs"]
    assert "USER-XSD/ELEMENT_CONTENT" in {one["id"] for one in run["tool"]["driver"]["rules"]}
    root = etree.fromstring(as_junit(judged))
    assert [one.get("type") for one in root.iter("failure")] == ["USER-XSD/ELEMENT_CONTENT"]


def test_a_schema_without_a_document_is_a_mistake(folder: Path) -> None:
    file = folder.parent / "kos.dcm"
    file.write_bytes(kos.kos())
    with pytest.raises(BenchError, match="aucun fichier donné"):
        judge_files([str(file)], schemas=load_schemas([folder / "good.xsd"], []))
    both = judge_files(
        [str(file), str(folder.parent / "good.xml")],
        schemas=load_schemas([folder / "bad.xsd"], []),
    )
    assert [one.verdict for one in both] == [Verdict.PASS, Verdict.FAIL]


def test_every_kind_that_is_xml_has_its_document() -> None:
    found = {name for name, kind in KINDS.items() if subject(kind.rules.good(), name) is not None}
    assert found == XML_KINDS
    body = subject(KINDS["iti-41"].rules.good(), "iti-41")
    assert body is not None
    assert etree.QName(body).localname == "ProvideAndRegisterDocumentSetRequest"
    assert subject(b"<ClinicalDocument", "cda") is None


def test_a_schema_reads_one_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "out.sch"
    outside.write_text(PART)
    (folder / "link.sch").symlink_to(outside)
    files = Folder(folder)
    with pytest.raises(SchemaError, match="lien qui sort"):
        files.load("link.sch")
    with pytest.raises(SchemaError, match="sort du dossier"):
        files.load("../out.sch")
    with pytest.raises(SchemaError, match="absent"):
        files.load("none.sch")
    assert files.document("main.sch", "../out.sch") is None
    assert files.document("main.sch", "link.sch") is None
    assert files.document("main.sch", "CODES.xml") == files.document("main.sch", "codes.xml")


def test_a_wider_folder_is_given_by_name(folder: Path, tmp_path: Path) -> None:
    (folder / "up.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3">'
        '<xs:include schemaLocation="../shared.xsd"/></xs:schema>'
    )
    (tmp_path / "shared.xsd").write_text(XSD.format(most="unbounded"))
    with pytest.raises(BenchError, match="--schemas"):
        load_schemas([folder / "up.xsd"], [])
    (schema,) = load_schemas([folder / "up.xsd"], [], folder=tmp_path)
    assert schema.name == "schemas/up.xsd"
    with pytest.raises(BenchError, match="n'est pas dans le dossier"):
        load_schemas([tmp_path / "shared.xsd"], [], folder=folder)
    with pytest.raises(BenchError, match="attendu un dossier"):
        load_schemas([folder / "up.xsd"], [], folder=tmp_path / "absent")


def _count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    read = schema_files.read

    def counted(name: str, load: object, phase: str = "") -> object:
        made.append(name)
        return read(name, load, phase)  # type: ignore[arg-type]

    monkeypatch.setattr(schema_files, "read", counted)
    return made


def test_a_schematron_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _count(monkeypatch)
    first = compiled("main.sch", Folder(folder))
    assert compiled("main.sch", Folder(folder)) == first
    assert made == ["main.sch"]
    compiled("main.sch", Folder(folder), "#ALL")
    assert len(made) == 2


def test_a_change_in_any_file_compiles_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _count(monkeypatch)
    compiled("main.sch", Folder(folder))
    part = folder / "parts" / "Title.sch"
    part.write_text(PART.replace("hors de la liste", "absent de la liste"))
    assert "absent de la liste" in compiled("main.sch", Folder(folder)).text
    part.unlink()
    with pytest.raises(SchemaError, match="demandé par main"):
        compiled("main.sch", Folder(folder))
    assert len(made) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"read": {}, "text": 1}',
        b'{"read": [], "text": "", "files": []}',
        b'{"read": {}, "text": "<autre/>", "files": [], "seal": "0"}',
        b"\xff",
    ],
)
def test_a_broken_cache_is_made_again(folder: Path, tmp_path: Path, content: bytes) -> None:
    good = compiled("main.sch", Folder(folder))
    (entry,) = (tmp_path / "cache" / "drimbench" / "schematron").iterdir()
    entry.write_bytes(content)
    assert compiled("main.sch", Folder(folder)) == good
    assert json.loads(entry.read_bytes())["text"] == good.text


def test_a_closed_cache_is_done_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = compiled("main.sch", Folder(folder))
    (tmp_path / "file").write_text("ni un dossier, ni à nous")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiled("main.sch", Folder(folder)) == good
    monkeypatch.setenv("XDG_CACHE_HOME", "relatif")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert compiled("main.sch", Folder(folder)) == good
    assert not Path("relatif").exists()


def test_a_full_disk_leaves_no_half_written_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert compiled("main.sch", Folder(folder)).text
    assert list((tmp_path / "cache" / "drimbench" / "schematron").iterdir()) == []


def test_a_missing_engine_is_told_before_judging(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "saxonche", None)
    monkeypatch.delitem(sys.modules, "validators.supplied.saxon", raising=False)
    with pytest.raises(BenchError, match="pip install saxonche"):
        load_schemas([], [folder / "main.sch"])


def drimbench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "validate", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1"},
    )  # fmt: skip


def test_the_command_takes_schemas_and_says_what_it_refuses(folder: Path) -> None:
    document = folder.parent / "good.xml"
    failed = drimbench(document, "--xsd", folder / "bad.xsd", "--json")
    assert failed.returncode == 1
    rules = {one["rule"] for one in json.loads(failed.stdout)[0]["findings"]}
    assert "USER-XSD/ELEMENT_CONTENT" in rules
    assert drimbench(document, "--xsd", folder / "good.xsd").returncode == 0
    for arguments in (
        ("--xsd", folder / "absent.xsd"),
        ("--xsd", folder / "main.sch"),
        ("--schemas", folder),
        ("--phase", "x"),
        ("--at", "hier"),
    ):
        refused = drimbench(document, *arguments)
        assert refused.returncode == 64
        assert refused.stderr.startswith("drimbench : ")
        assert "Traceback" not in refused.stderr
        assert not refused.stdout
