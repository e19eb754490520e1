"""The Source as a process among real services: publication, images, refusals, kills."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import tomli_w

from drimbox_ref.__main__ import main
from protocols import kos
from simulators.dmp import Cut
from tests.drimbox_ref.source.bed import Bed, image, parts, publish, running
from tests.drimbox_ref.source.world import INS, IPP, cda_report, oru
from wire.http_client import HttpFailure

ROOT = "1.2.250.1.999.20"


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with running(tmp_path_factory.mktemp("bed")) as made:
        yield made


def test_publication(bed: Bed) -> None:
    studies = [f"{ROOT}.{number}" for number in (1, 2, 3)]
    for study in studies:
        bed.load(study)
    before = bed.counts()
    assert bed.send(oru(cda_report(studies), control_id="P1")).accepted
    bed.until(lambda: all(bed.documents(study) for study in studies))
    entries = bed.until(lambda: len(bed.admin("archive")) == 3 and bed.admin("archive"))
    found = bed.counts() - before
    assert found["C-FIND"] == 3
    assert found["ITI-41"] == 3
    for study in studies:
        (stored,) = bed.documents(study)
        manifest = kos.decode(stored.content)
        assert manifest.patient_id == INS
        assert len(manifest.instances()) == 6
    assert {entry["state"] for entry in entries} == {"published"}
    assert bed.admin("alerts") == []


def test_the_administrator_s_commands(
    bed: Bed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the box runs: what it published is exported, found in its trail, saved."""
    study = f"{ROOT}.30"
    bed.load(study)
    uid = publish(bed, study, "P30")
    config = ["--config", str(bed.directory / "source.toml")]

    def told(*words: str, code: int = 0) -> str:
        assert main(["source", *words]) == code
        return capsys.readouterr().out

    exported = json.loads(told("export", *config, "--to", str(tmp_path), "--json"))
    assert exported["failures"] == []
    (file,) = exported["files"]
    again = json.loads(told("import", file, *config, "--json"))
    assert again == {"taken": 0, "known": exported["count"], "failures": []}
    found = json.loads(told("audit", "search", *config, "--document", uid, "--json"))
    assert [(one["event"], one["patient"]) for one in found] == [("ITI-41", INS)]
    received = json.loads(
        told("audit", "search", *config, "--patient", INS, "--event", "RAD-128", "--json")
    )
    assert received
    assert "intact" in told("audit", "verify", *config)
    assert told("alerts", *config) == "Aucune alerte.\n"
    lines = told("stats", *config).splitlines()
    assert lines[0].endswith(";Nombre_Appel;Statut_Appel")
    assert any(";ITI-41;TD2.1a;succes;;" in line for line in lines)
    assert INS not in "".join(lines)
    backup = str(tmp_path / "backup.zip")
    assert "sauvegardées" in told("backup", *config, "--to", backup)
    assert main(["source", "restore", *config, "--from", backup]) == 1
    assert f"tenu par le processus {bed.addresses['pid']}" in capsys.readouterr().err
    new = tomllib.loads((bed.directory / "source.toml").read_text())
    new["box"]["state"] = str(tmp_path / "neuve")
    (tmp_path / "neuve.toml").write_bytes(tomli_w.dumps(new).encode())
    another = ["--config", str(tmp_path / "neuve.toml")]
    assert "restaurées" in told("restore", *another, "--from", backup)
    assert "intact" in told("audit", "verify", *another), "the key came back too"
    told("export", *config, code=64)
    told("audit", "search", *config, "--since", "hier", code=64)
    told("audit", "verify", "--config", str(tmp_path / "absent.toml"), code=64)


def test_an_exam_that_left_the_pacs_is_found(bed: Bed, capsys: pytest.CaptureFixture[str]) -> None:
    """The command orders, the running Source does."""
    study = f"{ROOT}.31"
    bed.load(study)
    uid = publish(bed, study, "P31")
    words = ["--config", str(bed.directory / "source.toml"), "--study", study, "--json"]

    def told(*given: str) -> dict[str, object]:
        assert main(["source", "resync", *given]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert told(*words, "--dry-run") == {"exams": 1, "results": {"inchangé": 1}}
    bed.pacs.remove(study=study)
    assert told(*words, "--dry-run") == {"exams": 1, "results": {"à dépublier": 1}}
    assert told(*words) == {"exams": 1, "results": {"dépublié": 1}}
    row = bed.until(
        lambda: next(
            (
                one
                for one in bed.admin("archive")
                if one["kos_uid"] == uid and one["state"] == "depublished"
            ),
            None,
        )
    )
    assert [one["state"] for one in row["history"]] == ["published", "depublished"]
    moved = ["readdress", *words[:2], "--url", "https://ailleurs.test/rs"]
    assert main(["source", *moved]) == 64
    assert "wado.public_url" in capsys.readouterr().err


def test_images_of_a_series(bed: Bed) -> None:
    study = f"{ROOT}.4"
    bed.load(study, series=1, instances=3, implicit=True)
    bed.load(study, series=0)
    for number in (1, 2, 3):
        bed.pacs.load(image(study, 2, number))
    uid = publish(bed, study, "P4")
    response = bed.wado(f"/studies/{study}/series/{study}.1", kos=uid, token=bed.token())
    assert response.status == 200, response.body
    got = parts(response)
    assert len(got) == 3
    for headers, body in got:
        assert headers["content-type"].startswith("application/dicom")
        assert "1.2.840.10008.1.2.1" in headers["content-type"]
        data = pydicom.dcmread(BytesIO(body))
        assert data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert data.PatientID == IPP
        (other,) = data.OtherPatientIDsSequence
        assert other.PatientID == INS
        assert (
            other.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID == "1.2.250.1.213.1.4.10"
        )
        assert data.StudyDescription == "Scanner crânien"
        assert len(data.PixelData) == 128
    one = bed.wado(
        f"/studies/{study}/series/{study}.1/instances/{study}.1.2", kos=uid, token=bed.token()
    )
    assert [pydicom.dcmread(BytesIO(body)).InstanceNumber for _, body in parts(one)] == [2]
    whole = bed.wado(f"/studies/{study}", kos=uid, token=bed.token())
    assert len(parts(whole)) == 6
    last = bed.admin("audit")[0]
    assert (last["event"], last["EventOutcomeIndicator"]) == ("ITI-43", 0)
    assert last["subject"] == bed.psc.professionals[0].id


def test_refusals_of_images(bed: Bed) -> None:
    study = f"{ROOT}.5"
    bed.load(study)
    uid = publish(bed, study, "P5")
    path = f"/studies/{study}/series/{study}.1"
    good = bed.token()
    assert bed.wado(path, kos=uid, token=good).status == 200
    refused = {
        "no token": bed.wado(path, kos=uid),
        "expired": bed.wado(path, kos=uid, token=bed.token(expired=True)),
        "forged": bed.wado(path, kos=uid, token=bed.token(forged=True)),
        "refresh token": bed.wado(path, kos=uid, token=bed.token(typ="Refresh")),
        "pharmacist": bed.wado(path, kos=uid, token=bed.token(3)),
        "no KOS": bed.wado(path, token=good),
        "unknown KOS": bed.wado(path, kos="1.2.3", token=good),
        "unknown study": bed.wado("/studies/1.2.3/series/1.2.4", kos=uid, token=good),
        "unlisted series": bed.wado(f"/studies/{study}/series/1.2.4", kos=uid, token=good),
        "stranger": bed.wado(path, kos=uid, token=good, certificate=bed.stranger),
        "accept": bed.wado(path, kos=uid, token=good, accept=("image/png",)),
    }
    assert {name: response.status for name, response in refused.items()} == {
        "no token": 401,
        "expired": 401,
        "forged": 401,
        "refresh token": 401,
        "pharmacist": 403,
        "no KOS": 400,
        "unknown KOS": 404,
        "unknown study": 404,
        "unlisted series": 404,
        "stranger": 403,
        "accept": 406,
    }
    assert refused["no token"].headers.get("WWW-Authenticate").startswith("Bearer")
    assert bed.wado(path, kos=uid, token=good).status == 200


def test_capabilities_need_no_token(bed: Bed) -> None:
    assert b"RetrieveSeries" in bed.wado("", method="OPTIONS").body
    assert bed.wado("", accept=("application/json",)).headers.get("Content-Type") == (
        "application/json"
    )


def test_an_instance_added_after_the_kos_is_not_served(bed: Bed) -> None:
    study = f"{ROOT}.6"
    bed.load(study, series=1, instances=2)
    uid = publish(bed, study, "P6")
    bed.pacs.load(image(study, 1, 3))
    response = bed.wado(f"/studies/{study}/series/{study}.1", kos=uid, token=bed.token())
    assert len(parts(response)) == 2


def test_missing_images_never_end_cleanly(bed: Bed) -> None:
    study = f"{ROOT}.7"
    bed.load(study, series=1, instances=4)
    uid = publish(bed, study, "P7")
    path = f"/studies/{study}/series/{study}.1"
    partial = bed.pacs.faults.set("statut", "C-MOVE", statut=0xA702, apres=2)
    with pytest.raises(HttpFailure):
        bed.wado(path, kos=uid, token=bed.token())
    bed.pacs.faults.clear(partial)
    bed.pacs.faults.set("statut", "C-MOVE", statut=0xA900)
    assert bed.wado(path, kos=uid, token=bed.token()).status == 502
    bed.pacs.faults.clear()
    bed.pacs.remove(study=study)
    assert bed.wado(path, kos=uid, token=bed.token()).status in (410, 502)


def test_depublished_images_are_closed(bed: Bed) -> None:
    study = f"{ROOT}.8"
    bed.load(study)
    uid = publish(bed, study, "P8")
    document = cda_report((study,))
    assert bed.send(oru(document, control_id="P8D", control="CA", status="D")).accepted
    bed.until(
        lambda: any(
            entry["study_uid"] == study and entry["state"] == "depublished"
            for entry in bed.admin("archive")
        )
    )
    response = bed.wado(f"/studies/{study}/series/{study}.1", kos=uid, token=bed.token())
    assert response.status == 410


@pytest.mark.parametrize("cut", list(Cut))
def test_dmp_crashes_publish_once(bed: Bed, cut: Cut) -> None:
    study = f"{ROOT}.9.{list(Cut).index(cut) + 1}"
    bed.load(study)
    bed.dmp.faults.set("coupure", "TD2.1", times=1, moment=cut)
    uid = publish(bed, study, f"C-{cut.value}")
    (stored,) = bed.documents(study)
    assert stored.entry.unique_id == uid


def test_kill_and_restart_of_the_dmp(bed: Bed) -> None:
    study = f"{ROOT}.10"
    bed.load(study)
    bed.call(bed.dmp.kill)
    assert bed.send(oru(cda_report((study,)), control_id="K1")).accepted
    bed.until(lambda: any(row["attempts"] for row in bed.admin("outbox")))
    bed.call(bed.dmp.restart)
    bed.until(lambda: bed.documents(study))
    bed.until(lambda: all(row["state"] != "pending" for row in bed.admin("outbox")))
    assert len(bed.documents(study)) == 1


def test_kill_and_restart_of_the_box(bed: Bed) -> None:
    study = f"{ROOT}.11"
    bed.load(study)
    bed.call(bed.dmp.kill)
    assert bed.send(oru(cda_report((study,)), control_id="K2")).accepted
    former = dict(bed.addresses)
    bed.kill()
    bed.call(bed.dmp.restart)
    bed.spawn()
    assert {key: former[key] for key in ("mllp", "wado", "dicom", "admin")} == {
        key: bed.addresses[key] for key in ("mllp", "wado", "dicom", "admin")
    }
    bed.until(lambda: bed.documents(study))
    assert len(bed.documents(study)) == 1


def test_bad_configuration_is_one_line_and_64(tmp_path: Path, bed: Bed) -> None:
    config = tmp_path / "bad.toml"
    config.write_text('[box]\nname = "x"\nstate = "relative"\n')
    command = [sys.executable, "-m", "drimbox_ref", "source", "--config", str(config)]
    done = subprocess.run(
        [*command, "--ready", str(tmp_path / "ready.json")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 64
    (line,) = done.stderr.decode().splitlines()
    assert "box.state" in line
    assert "chemin absolu" in line


def test_a_second_process_on_the_same_state_is_refused(tmp_path: Path, bed: Bed) -> None:
    command = [sys.executable, "-m", "drimbox_ref", "source"]
    done = subprocess.run(
        [*command, "--config", str(bed.directory / "source.toml"), "--ready", str(tmp_path / "r")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 64
    (line,) = done.stderr.decode().splitlines()
    assert "box.state : attendu un dossier dont aucune autre DRIMbox Source ne se sert" in line
    assert f"tenu par le processus {bed.addresses['pid']}" in line
    assert not (tmp_path / "r").exists()
