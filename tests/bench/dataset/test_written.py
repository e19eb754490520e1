"""Every situation, as it is written: conform for our own judges, and always the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bench.dataset.prepared import Prepared, prepare
from bench.dataset.situations import SITUATIONS, Act, Names, Situation
from bench.dataset.writing import write
from bench.errors import BenchError
from bench.profile import EMBEDDED
from bench.site import site_of
from protocols import cda, hl7v2, kos
from protocols.dicom import split_part10
from protocols.kos import Manifest
from spec.dicom import REJECTION_TITLES
from spec.requirements import resolve
from validators.api import validate
from validators.zip_archive import pack, unpack

SITE = site_of(EMBEDDED)
HOST = "db1.drimbench.test"
DAY = date(2026, 11, 20)
KINDS = {
    "cda": "cda", "kos": "kos", "iocm": "iocm", "xdm": "xdm",
    "ORU": "oru", "MDM": "mdm", "OMI": "omi",
}  # fmt: skip


def small(situation: Situation) -> Situation:
    """The same with few, small images: what is said of them does not change."""
    exams = tuple(replace(one, images=min(one.images, 3), matrix=64) for one in situation.exams)
    return replace(situation, exams=exams)


def made(name: str, seed: int = 1) -> Prepared:
    return prepare(small(SITUATIONS[name]), seed=seed, day=DAY, site=SITE)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a situation, written once."""
    root = tmp_path_factory.mktemp("donnees")

    def folder(name: str) -> Path:
        if not (root / name).exists():
            write(made(name), root / name, host=HOST)
        return root / name

    return folder


def manifests(folder: Path) -> list[Manifest]:
    return [kos.decode(file.read_bytes()) for file in sorted((folder / "kos").iterdir())]


@pytest.mark.parametrize("name", SITUATIONS)
def test_everything_written_is_conform(name: str, written: Callable[[str], Path]) -> None:
    folder = written(name)
    judged = [file for file in folder.rglob("*") if file.parent.name in KINDS and file.is_file()]
    found = [
        (file.name, one.rule, one.message)
        for file in judged
        for one in validate(file.read_bytes(), KINDS[file.parent.name]).findings
    ]
    assert not found
    # The folders that hold no judged artefact are those of the images alone.
    others = {file.parts[len(folder.parts)] for file in folder.rglob("*")} - {"images"}
    assert others == {"LISEZMOI.md", "situation.json", "hl7v2", "cda", "kos", "xdm"} | (
        {"iocm"} if name.startswith("iocm") else set()
    )


@pytest.mark.parametrize("name", ["nominal", "trois-examens", "iocm-partiel", "noms-complets"])
@pytest.mark.parametrize("form", ["ORU", "MDM"])
def test_the_artefacts_of_a_creation_agree(
    name: str, form: str, written: Callable[[str], Path]
) -> None:
    folder = written(name)
    chosen = [
        *(folder / "hl7v2" / form).glob("1-*"),
        *(folder / "cda").glob("1-*"),
        *(folder / "kos").glob("1-*"),
        *folder.glob("images/*/*/*.dcm"),
    ]
    archive = pack({str(file.relative_to(folder)): file.read_bytes() for file in chosen})
    report = validate(archive, "examen")
    assert not report.findings


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    first = written("iocm-partiel")
    write(made("iocm-partiel"), tmp_path / "again", host=HOST)
    write(made("iocm-partiel", seed=2), tmp_path / "other", host=HOST)

    def contents(folder: Path) -> dict[str, bytes]:
        files = (file for file in folder.rglob("*") if file.is_file())
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}

    ours, again, other = contents(first), contents(tmp_path / "again"), contents(tmp_path / "other")
    assert again == ours
    assert other.keys() == ours.keys()
    assert not [name for name in ours if ours[name] == other[name]]


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_expected_kos_list_what_the_pacs_holds(
    name: str, written: Callable[[str], Path]
) -> None:
    folder = written(name)
    for number, file in enumerate(sorted((folder / "images").iterdir()), 1):
        images = {split_part10(one.read_bytes()).sop_instance for one in file.rglob("*.dcm")}
        first = min((folder / "kos").glob(f"*-examen-{number}.dcm"))
        published = kos.decode(first.read_bytes())
        assert {one.sop_instance for one in published.instances()} == images


def test_a_rejected_series_is_in_the_note_and_no_more_in_the_kos(
    written: Callable[[str], Path],
) -> None:
    folder = written("iocm-partiel")
    before, after = manifests(folder)
    note = kos.decode(next((folder / "iocm").iterdir()).read_bytes())
    assert note.title is not None
    assert note.title[0].value in REJECTION_TITLES
    gone = {one.sop_instance for one in note.instances()}
    left = {one.sop_instance for one in after.instances()}
    assert gone
    assert left
    assert gone | left == {one.sop_instance for one in before.instances()}
    assert not gone & left


def test_what_is_withdrawn_leaves_no_kos(written: Callable[[str], Path]) -> None:
    for name in ("iocm-total", "depublication"):
        assert len(manifests(written(name))) == 1


@pytest.mark.parametrize(
    ("name", "event", "control", "status"),
    [
        ("remplacement", "T10", "RO", "C"),
        ("visibilite", "T10", "RO", "C"),
        ("depublication", "T04", "CA", "D"),
    ],
)
def test_the_second_message_says_what_becomes_of_the_report(
    name: str, event: str, control: str, status: str, written: Callable[[str], Path]
) -> None:
    prepared, folder = made(name), written(name)
    first, second = prepared.report(1), prepared.report(2)
    replaced = SITUATIONS[name].steps[1].act is not Act.DELETE
    for form in ("ORU", "MDM"):
        data = next((folder / "hl7v2" / form).glob("2-*")).read_bytes()
        message = hl7v2.parse(data)
        assert message.value("MSH-9.2") == (event if form == "MDM" else "R01")
        assert (message.value("ORC-1"), message.value("OBX-11")) == (control, status)
        if form == "MDM":
            assert message.value("TXA-12") == second.id
            assert message.value("TXA-13") == (first.id if replaced else "")
    document = cda.parse(next((folder / "cda").glob("2-*")).read_bytes())
    assert document.version_number == ("2" if replaced else "1")
    assert (second.set_id, second.id != first.id) == (first.set_id, replaced)


def test_a_changed_visibility_is_told_and_a_mere_replacement_tells_none(
    written: Callable[[str], Path],
) -> None:
    def told(name: str) -> dict[str, str]:
        data = next((written(name) / "hl7v2/ORU").glob("2-*")).read_bytes()
        message = hl7v2.parse(data)
        return {
            one.field(3).component(1).value: one.field(5).component(1).value
            for one in message.all("OBX")[1:]
        }

    hidden, plain = told("visibilite"), told("remplacement")
    assert {code for code, value in hidden.items() if value != plain[code]} == {
        "INVISIBLE_PATIENT",
        "MODIF_CONF_CODE",
    }


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("noms-absents", Names.NONE),
        ("noms-famille", Names.FAMILY),
        ("noms-prenom", Names.GIVEN),
        ("noms-complets", Names.BOTH),
    ],
)
def test_the_four_forms_of_other_patient_names(
    name: str, names: Names, written: Callable[[str], Path]
) -> None:
    (manifest,) = manifests(written(name))
    assert manifest.other_patient_names is not None
    births, *used = manifest.other_patient_names
    assert births == f"^{made(name).patient.givens}"
    family, _, given = (used or [""])[0].partition("^")
    assert bool(used) is (names is not Names.NONE)
    assert bool(family) is (names in (Names.FAMILY, Names.BOTH))
    assert bool(given) is (names in (Names.GIVEN, Names.BOTH))


def test_the_pair_of_a_platform_is_one_patient_and_two_documents() -> None:
    prepared = made("pfi")
    oru, mdm = (hl7v2.parse(prepared.message(n, form, b"")) for n, form in ((1, "ORU"), (2, "MDM")))
    assert oru.value("PID-3") == mdm.value("PID-3")
    assert mdm.value("TXA-12") == prepared.report(2).id != prepared.report(1).id
    assert prepared.report(1).set_id != prepared.report(2).set_id


def test_the_performance_exam_is_that_of_the_texts() -> None:
    (exam,) = SITUATIONS["performance"].exams
    assert (exam.modality, exam.series * exam.images, exam.matrix) == ("CT", 1300, 512)
    assert exam.transfer_syntax == "1.2.840.10008.1.2.4.80"


def test_every_effect_cites_requirements_that_exist(written: Callable[[str], Path]) -> None:
    for situation in SITUATIONS.values():
        for step in situation.steps:
            assert step.effects
            for effect in step.effects:
                assert all(resolve(id) for id in effect.requirements), effect
    page = (written("depublication") / "LISEZMOI.md").read_text(encoding="utf-8")
    assert "| ITI-57 (TD3.3c) | 1 |" in page
    assert "DB.SO.97 (draft)" in page
    document = json.loads((written("depublication") / "situation.json").read_bytes())
    assert document["identifiers"]["matricule INS"] == made("depublication").patient.ins.value  # type: ignore[union-attr]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("à moi")
    with pytest.raises(BenchError, match="vide ou nouveau"):
        write(made("nominal"), tmp_path, host=HOST)
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


def test_the_archive_holds_the_first_kos_and_its_signature_binds_them(
    written: Callable[[str], Path],
) -> None:
    folder = written("trois-examens")
    files = unpack((folder / "xdm/IHE_XDM.zip").read_bytes())
    kept = {name: data for name, data in files.items() if name.endswith("KOS_1_1.DCM")}
    published = sorted(file.read_bytes() for file in (folder / "kos").iterdir())
    assert sorted(kept.values()) == published
    first = min(kept)
    spoiled = files | {first: kept[first].replace(b"CT de test", b"CT de tort")}
    rules = {one.rule for one in validate(pack(spoiled), "xdm").findings}
    assert "XDS-110" in rules or "XDS-111" in rules or "XDS-112" in rules, rules
