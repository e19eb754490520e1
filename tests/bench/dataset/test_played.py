"""Situations played against the reference Source: what they must cause is what they cause."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tomli_w

from bench.administration import until
from bench.bed import Bed
from bench.dataset.homologation import Set, ready, values_of
from bench.dataset.prepared import Prepared, prepare
from bench.dataset.pushing import images_of, push
from bench.dataset.sending import deliver
from bench.dataset.situations import SITUATIONS
from bench.dataset.writing import write
from bench.depublishing import Depublisher, signatory
from bench.errors import BenchError
from bench.feed import Feed
from bench.journal import Journal
from bench.outcomes import CannotVerify
from bench.profile import EMBEDDED
from bench.site import site_of
from bench.submissions import accepted
from bench.withdrawing import carriers_of, deletion_of, publications_of
from drimbench.clients import Means
from drimbench.data_push import route, withdraw_by_source
from protocols import hl7v2, kos
from protocols.dicom import split_part10
from simulators.dmp import Patient
from simulators.ris.dmp_client import DmpRefusal
from spec.dmp import KOS_TYPE_CODE
from spec.xds import Status
from validators.api import validate
from wire.exchange import ignore
from wire.shard import Shard

PATIENCE_S = 30


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    directory = tmp_path_factory.mktemp("bed")
    shard = Shard(directory, "bench")
    made = Bed(EMBEDDED, Feed(shard), directory, 7, roles=frozenset({"source"}))
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shard.close()


def prepared(bed: Bed, name: str, seed: int) -> Prepared:
    """A situation whose patient has an open DMP."""
    made = prepare(SITUATIONS[name], seed=seed, day=date(2026, 11, 20), site=bed.site)
    patient = made.patient
    assert patient.ins is not None
    bed.dmp.register_patient(
        Patient(
            matricule=patient.ins.value,
            oid=patient.ins.oid,
            family=patient.family,
            given=patient.given,
            birth_date=patient.birth_date,
            gender=patient.sex,
        )
    )
    return made


def to_pacs(bed: Bed, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`drimbench data push`, beside the bed."""
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "data", "push", *arguments],
        cwd=bed.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )


def played(bed: Bed, made: Prepared, number: int, form: str = "ORU") -> None:
    """Send the message of a step; the Source takes it."""
    message = made.message(number, form, made.report(number).document())
    (answer,) = deliver(
        [(form, message)],
        bed.source.pair("mllp"),
        bed.observe,
        timeout=PATIENCE_S,
        told=lambda _: None,
    )
    assert answer.ack is not None, answer.silence
    assert answer.ack.accepted, answer.ack.raw


def statuses(bed: Bed, made: Prepared) -> dict[str, list[str]]:
    """StudyInstanceUID -> the status of each KOS in the DMP, in order."""
    assert made.patient.ins is not None
    found: dict[str, list[str]] = {}
    for one in bed.dmp.documents(made.patient.ins.value, made.patient.ins.oid):
        code = one.entry.type_code
        if code is not None and code.code == KOS_TYPE_CODE[0]:
            found.setdefault(kos.decode(one.content).study_uid or "", []).append(one.entry.status)
    return found


def awaited(bed: Bed, made: Prepared, *expected: Status) -> None:
    """Each exam has KOS of those statuses."""
    wanted = {exam.study_uid: list(expected) for exam in made.exams}
    until(lambda: statuses(bed, made) == wanted, deadline_s=PATIENCE_S)
    assert statuses(bed, made) == wanted


def published(bed: Bed, name: str, seed: int) -> Prepared:
    """The situation, its images in the PACS and its first report published."""
    made = prepared(bed, name, seed)
    for file in images_of(made):
        bed.pacs.load(file)
    played(bed, made, 1)
    awaited(bed, made, Status.APPROVED)
    return made


def test_the_images_that_are_pushed_are_those_of_the_data(bed: Bed) -> None:
    made = prepared(bed, "trois-examens", 11)
    to = f"KITPACS@127.0.0.1:{bed.pacs.port}"
    done = to_pacs(bed, "trois-examens", "--to", to, "--seed", "11", "--json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["situations"]
    assert (told["taken"], told["failures"], told["unsent"]) == (made.situation.images, [], 0)
    for exam in made.exams:
        assert bed.pacs.count(exam.study_uid) == exam.images
    kept = Path(bed.directory, json.loads(done.stdout)["journal"])
    stored = [e for e in Journal(kept).of("exchange") if e.fields["transaction"] == "C-STORE"]
    assert len(stored) == made.situation.images
    played(bed, made, 1)
    awaited(bed, made, Status.APPROVED)


@pytest.mark.parametrize("name", ["remplacement", "visibilite"])
def test_a_replaced_report_replaces_its_kos(bed: Bed, name: str) -> None:
    made = published(bed, name, 12)
    played(bed, made, 2)
    awaited(bed, made, Status.DEPRECATED, Status.APPROVED)


def test_a_withdrawn_report_withdraws_its_kos(bed: Bed) -> None:
    made = published(bed, "depublication", 13)
    played(bed, made, 2)
    awaited(bed, made, Status.DELETED)


def test_what_the_source_publishes_is_what_the_data_expect(bed: Bed, tmp_path: Path) -> None:
    made = published(bed, "noms-complets", 14)
    write(made, tmp_path / "n", host=EMBEDDED.source.host)
    expected = kos.decode(next((tmp_path / "n/kos").iterdir()).read_bytes())
    assert made.patient.ins is not None
    (stored, *_) = [
        one.content
        for one in bed.dmp.documents(made.patient.ins.value, made.patient.ins.oid)
        if one.entry.type_code is not None and one.entry.type_code.code == KOS_TYPE_CODE[0]
    ]
    found = kos.decode(stored)
    for name in (
        "study_uid", "patient_name", "patient_id", "birth_date", "sex", "other_patient_names",
        "other_patient_ids", "patient_comments", "issuer_of_patient_id", "studies", "title",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(expected, name), name


def test_a_run_is_withdrawn_through_the_source(bed: Bed) -> None:
    made = published(bed, "trois-examens", 15)
    profile = bed.directory / "boite.toml"
    profile.write_text(tomli_w.dumps({"source": {"mllp": bed.source["mllp"]}}))
    uids = {exam.study_uid for exam in made.exams}
    until(
        lambda: (
            uids <= {one.study_uid for one in publications_of(Journal(bed.directory))}
            and any(uids <= one.studies for one in carriers_of(Journal(bed.directory)))
        ),
        deadline_s=PATIENCE_S,
    )
    done = to_pacs(bed, "--cleanup", str(bed.directory), "--profile", str(profile), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    told = {one["study_uid"]: one["done"] for one in json.loads(done.stdout)["withdrawn"]}
    assert {uid: told[uid] for uid in uids} == dict.fromkeys(uids, True)
    awaited(bed, made, Status.DELETED)


def test_a_run_is_withdrawn_at_the_dmp_by_the_structure_that_published(
    bed: Bed, tmp_path: Path
) -> None:
    made = published(bed, "nominal", 16)
    uid = made.exams[0].study_uid
    until(
        lambda: uid in {one.study_uid for one in publications_of(Journal(bed.directory))},
        deadline_s=PATIENCE_S,
    )
    for name in ("journal", "blobs"):
        shutil.copytree(bed.directory / name, tmp_path / name)
    asked = ("--by", "dmp", "--dmp", bed.dmp.url, "--certificates", str(bed.papers.directory))
    done = to_pacs(bed, "--cleanup", str(tmp_path), *asked, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert uid in [one["study_uid"] for one in json.loads(done.stdout)["withdrawn"]]
    awaited(bed, made, Status.DELETED)
    # The bed's own journal has seen it: nothing is left of that exam.
    until(
        lambda: uid not in {one.study_uid for one in publications_of(Journal(bed.directory))},
        deadline_s=PATIENCE_S,
    )
    assert uid not in {one.study_uid for one in publications_of(Journal(bed.directory))}
    # Asked again from the journal of before, the DMP refuses: no success is made up.
    again = to_pacs(bed, "--cleanup", str(tmp_path), *asked, "--json")
    assert again.returncode == 1
    told = {one["study_uid"]: one for one in json.loads(again.stdout)["withdrawn"]}
    assert not told[uid]["done"]
    assert "Deleted" in told[uid]["detail"]


def test_another_structure_withdraws_nothing(bed: Bed) -> None:
    made = published(bed, "nominal", 17)
    uid = made.exams[0].study_uid
    until(
        lambda: uid in {one.study_uid for one in publications_of(Journal(bed.directory))},
        deadline_s=PATIENCE_S,
    )
    (one,) = [o for o in publications_of(Journal(bed.directory)) if o.study_uid == uid]
    other = signatory(bed.papers.directory, bed.site.reader_structure)

    async def try_it() -> str:
        desk = Depublisher(
            bed.dmp.url,
            trust=bed.papers.market_trust,
            who=other,
            observe=ignore,
            clock=lambda: datetime.now(UTC),
            uuid=bed.uuid,
        )
        async with desk:
            try:
                return await desk.depublish(one)
            except DmpRefusal as error:
                return f"refus : {error}"

    assert bed.call(try_it).startswith("refus")
    awaited(bed, made, Status.APPROVED)


def test_certificates_that_are_not_there_stop_before_anything_is_asked(
    bed: Bed, tmp_path: Path
) -> None:
    with pytest.raises(BenchError, match="auth-1 et sign-1"):
        signatory(tmp_path, "1")
    done = to_pacs(bed, "--cleanup", str(bed.directory), "--by", "dmp", "--dmp", bed.dmp.url)
    assert done.returncode == 64
    assert "--certificates" in done.stderr


def test_the_message_of_deletion_is_the_last_version_sent_again(bed: Bed) -> None:
    made = prepare(SITUATIONS["remplacement"], seed=1, day=date(2026, 11, 20), site=bed.site)
    document = made.report(2).document()
    for form in ("ORU", "MDM"):
        before = made.message(2, form, document)
        after = deletion_of(before, control_id="KIT1", moment=datetime(2026, 12, 1, tzinfo=UTC))
        assert not validate(after, form.lower()).findings
        old, new = hl7v2.parse(before), hl7v2.parse(after)
        assert (new.value("ORC-1"), new.value("OBX-11"), new.value("TXA-13")) == ("CA", "D", "")
        assert new.value("OBX-5.5") == old.value("OBX-5.5")
        assert new.value("MSH-10") == "KIT1"
        changed = [
            n.name for o, n in zip(old.segments, new.segments, strict=True) if o.raw != n.raw
        ]
        assert changed == (
            ["MSH", "ORC", "OBX"] if form == "ORU" else ["MSH", "EVN", "ORC", "TXA", "OBX"]
        )


def test_a_written_situation_is_a_set_that_can_be_played(bed: Bed, tmp_path: Path) -> None:
    made = prepared(bed, "nominal", 18)
    write(made, tmp_path / "n", host=EMBEDDED.source.host)
    for file in images_of(made):
        bed.pacs.load(file)
    values = values_of({}, moment=lambda: datetime.now(UTC))
    (oru,) = [one for one in ready(Set.read(tmp_path / "n"), values) if one.form == "ORU"]
    (answer,) = deliver(
        [(oru.file.name, oru.data)],
        bed.source.pair("mllp"),
        bed.observe,
        timeout=PATIENCE_S,
        told=lambda _: None,
    )
    assert answer.ack is not None
    assert answer.ack.accepted
    awaited(bed, made, Status.APPROVED)
    assert bed.feed.wait(
        lambda seen: seen.exchange.transaction == "ITI-41" and accepted(seen.exchange),
        deadline_s=PATIENCE_S,
    )


# Pushing, apart from any PACS ------------------------------------------------------------------


class Pacs:
    """Takes images, but those that it refuses; breaks when one that it cannot bear comes."""

    def __init__(self, refused: frozenset[str] = frozenset(), fatal: frozenset[str] = frozenset()):
        self.held: set[str] = set()
        self.refused, self.fatal = refused, fatal

    def __call__(self, files: object) -> dict[str, str]:
        assert isinstance(files, list)
        uids = [split_part10(file).sop_instance for file in files]
        for uid in uids:
            if uid in self.fatal:
                raise CannotVerify("association interrompue")
            if uid not in self.refused:
                self.held.add(uid)
        return {uid: "statut C-STORE 0xa700" for uid in uids if uid in self.refused}


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    situation = SITUATIONS["nominal"]
    exams = tuple(replace(one, series=1, images=30) for one in situation.exams)
    made = prepare(
        replace(situation, exams=exams), seed=1, day=date(2026, 11, 20), site=site_of(EMBEDDED)
    )
    return list(images_of(made))


def test_each_image_that_is_refused_is_named(files: list[bytes]) -> None:
    uids = [split_part10(file).sop_instance for file in files]
    told: list[tuple[int, int]] = []
    pacs = Pacs(refused=frozenset({uids[3]}), fatal=frozenset({uids[27]}))
    pushed = push(files, len(files), pacs, progress=lambda done, of: told.append((done, of)))
    assert {one.sop_instance for one in pushed.failures} == {uids[3], uids[27]}
    assert (pushed.taken, pushed.unsent) == (28, 0)
    assert pacs.held == set(uids) - {uids[3], uids[27]}
    assert told[-1] == (30, 30)


class Stow(ThreadingHTTPServer):
    """A DICOMweb server that is no code of ours; it stores nothing and refuses one instance."""

    def __init__(self, refused: str) -> None:
        super().__init__(("127.0.0.1", 0), Storing)
        self.refused = refused
        self.received = b""


class Storing(BaseHTTPRequestHandler):
    """Answers 202 in DICOM JSON."""

    server: Stow

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received += data
        failed = {"00081155": {"Value": [self.server.refused]}, "00081197": {"Value": [0xA700]}}
        among = self.server.refused.encode() in data
        body = json.dumps({"00081198": {"vr": "SQ", "Value": [failed] if among else []}}).encode()
        self.send_response(202)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: pytest shows what matters."""


def test_images_go_by_stow_as_well(files: list[bytes]) -> None:
    refused = split_part10(files[2]).sop_instance
    with Stow(refused) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/dicom-web"
        send = route("", url, Means.of(None, None, None, (), 10.0))(ignore)
        pushed = push(files, len(files), send, progress=lambda done, of: None)
        server.shutdown()
        thread.join()
    (failure,) = pushed.failures
    assert (failure.sop_instance, pushed.taken) == (refused, len(files) - 1)
    assert "0xa700" in failure.why
    assert all(file in server.received for file in files)


def test_a_pacs_that_answers_no_more_is_given_up(files: list[bytes]) -> None:
    uids = frozenset(split_part10(file).sop_instance for file in files)
    pushed = push(files, len(files), Pacs(fatal=uids), progress=lambda done, of: None)
    assert (pushed.taken, len(pushed.failures), pushed.unsent) == (0, 3, 27)


@pytest.mark.parametrize(
    ("to", "stow"),
    [
        ("", ""),
        ("ici", ""),
        ("A@h:99999", ""),
        ("A@B@h:1", ""),
        ("UN-TITRE-TROP-LONG@h:1", ""),
        ("", "ftp://x"),
        ("A@h:1", "http://x"),
    ],
)
def test_an_address_that_is_none_is_refused(to: str, stow: str) -> None:
    with pytest.raises(BenchError, match="attendu"):
        route(to, stow, Means.of(None, None, None, (), 1.0))


@pytest.mark.parametrize(
    "arguments", [(), ("nominal", "--cleanup", "@1"), ("--cleanup", "nulle-part")]
)
def test_what_cannot_be_done_is_refused_in_words(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drimbench", "data", "push", *arguments],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 64
    assert done.stderr.startswith("drimbench : ")
    assert not list(tmp_path.iterdir())


def test_what_another_source_published_is_told_and_not_asked_of_this_one(bed: Bed) -> None:
    made = published(bed, "nominal", 19)
    uid = made.exams[0].study_uid
    until(
        lambda: uid in {one.study_uid for one in publications_of(Journal(bed.directory))},
        deadline_s=PATIENCE_S,
    )
    found = withdraw_by_source(
        Journal(bed.directory),
        ("127.0.0.1", 1),  # nobody there: asked, it would be said
        ignore,
        counterpart=EMBEDDED.source.host,
        timeout=1,
    )
    (told,) = [one for one in found if one.study_uid == uid]
    assert not told.done
    assert "n'est pas cette Source" in told.detail
    awaited(bed, made, Status.APPROVED)
