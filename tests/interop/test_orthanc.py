"""The Source's scenarios with Orthanc as the site's PACS: the same verdicts as with ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from bench.archives import by_c_get, by_c_store, by_stow
from bench.campaign import Options, play
from bench.profile import Profile
from bench.results import Run
from bench.verdicts import Verdict
from drimbench.presets import ARCHIVES
from features import FEATURES, STEP_MODULES
from protocols.dicom import split_part10
from simulators import modality
from simulators.pacs import Archive
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.interop.orthanc import AE_TITLE, Orthanc, running, sample_configuration
from wire.dimse import DimsePeer
from wire.exchange import ignore

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_JPEG_LS = "1.2.840.10008.1.2.4.80"
_NATIVE = {"SCN-NAT-01", "SCN-NAT-02", "SCN-NAT-03"}
"""Of a product that has its PACS within: they leave a proxy out."""

_FAULTLESS = "le voisin pacs est écouté : le banc ne sait pas simuler cette panne"
"""Why a scenario that makes the first PACS fail cannot be verified with a real one."""


@pytest.fixture(scope="module")
def orthanc() -> Iterator[Orthanc]:
    with running() as started:
        yield started


def campaign(tmp_path: Path, profile: Profile, *only: str, suite: str = "") -> Run:
    return play(
        Options(
            features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=profile, only=only,
            suite=suite, seed=5,
        )
    )  # fmt: skip


def told(run: Run, but: Sequence[Verdict] = (Verdict.PASS,)) -> dict[str, str]:
    """What did not simply pass, and why."""
    return {
        one.id: f"{one.verdict.value} : {one.reason}"
        for one in run.scenarios
        if one.verdict not in but
    }


def files(study: str, syntax: str) -> list[bytes]:
    patient = modality.Patient(
        name="A^B", patient_id="1", issuer="I", issuer_oid="2.25.1", birth_date="19700101", sex="F"
    )
    series = modality.Series(
        modality="CT", description="S", count=2, uid=f"{study}.1", number=1, transfer_syntax=syntax
    )
    return list(
        modality.make(
            modality.Exam(
                patient=patient, study_uid=study, accession="ACC", series=(series,),
                accession_issuer_oid="2.25.2", date="20261122", time="101500", description="CT",
                matrix=16,
            )
        )
    )  # fmt: skip


def test_the_preset_is_orthanc_as_it_is_delivered(orthanc: Orthanc) -> None:
    delivered, known = sample_configuration(), ARCHIVES["orthanc"]
    assert known.ae_title == delivered["DicomAet"] == AE_TITLE
    assert known.dicom == f"127.0.0.1:{delivered['DicomPort']}"
    # It takes images of anybody; a Source, and the bench that reads back, are declared in it.
    assert known.to_declare == "la Source et le banc dans DicomModalities"
    assert delivered["DicomAlwaysAllowStore"]
    assert not any(delivered[f"DicomAlwaysAllow{one}"] for one in ("Find", "Get", "Move"))
    root = f"http://127.0.0.1:{delivered['HttpPort']}"
    assert known.dicomweb.startswith(f"{root}/")
    # Nothing in our configuration says where DICOMweb is: the plug-in's own root.
    web = known.dicomweb.replace(root, orthanc.http)
    assert httpx.get(f"{web}/studies", trust_env=False).status_code == 200


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, _JPEG_LS])
@pytest.mark.parametrize("way", ["c-store", "stow"])
def test_images_enter_it_and_are_read_back(orthanc: Orthanc, way: str, syntax: str) -> None:
    number = 1 + ["c-store", "stow"].index(way) * 10 + len(syntax)
    made = files(f"2.25.777.{number}", syntax)
    peer = DimsePeer("127.0.0.1", orthanc.dicom, AE_TITLE)
    ask = by_c_get(peer, timeout=10)
    with start_blocking_portal("asyncio") as portal:
        if way == "stow":
            web = f"{orthanc.http}/dicom-web"
            send = by_stow(web, ignore, tls=None, run=portal.call, timeout=10)
        else:
            send = by_c_store(peer, ignore, timeout=10)
        assert send(made) == {}
    for file in made:
        sent = Archive().add_file(file)
        assert split_part10(ask(sent).file()).dataset == split_part10(file).dataset


def test_some_scenarios_pass_with_it(orthanc: Orthanc, tmp_path: Path) -> None:
    """One of each kind, in every `make test` where there is an Orthanc; all in `make interop`."""
    profile = Profile.model_validate(orthanc.profile())
    some = ("SCN-PUB-06", "SCN-CHG-01", "SCN-MUL-02", "SCN-IMG-08", "SCN-IMR-12")
    run = campaign(tmp_path, profile, *some)
    assert {one.id for one in run.scenarios} == set(some)
    assert told(run) == {}


@pytest.mark.whole
def test_every_scenario_of_a_source_passes_with_it(orthanc: Orthanc, tmp_path: Path) -> None:
    run = campaign(tmp_path, Profile.model_validate(orthanc.profile()), suite="source")
    left = told(run, (Verdict.PASS, Verdict.OMIT))
    assert {id: why for id, why in left.items() if _FAULTLESS not in why} == {}
    assert {why.partition(" : ")[0] for why in left.values()} <= {Verdict.SKIP.value}
    assert {one.id for one in run.scenarios if one.verdict is Verdict.OMIT} == _NATIVE
    assert len(run.scenarios) > 70


def test_images_come_by_c_get_as_well(orthanc: Orthanc, tmp_path: Path) -> None:
    profile = Profile.model_validate(orthanc.profile(options={"pacs_retrieve": "c-get"}))
    some = ("SCN-IMG-01", "SCN-IMG-08", "SCN-IMR-12")
    run = campaign(tmp_path, profile, *some)
    assert len(run.scenarios) == len(some)
    assert told(run) == {}


def test_what_nobody_listens_to_is_not_verified(orthanc: Orthanc, tmp_path: Path) -> None:
    """Out of the bench's sight, what is seen at the other doors is judged all the same."""
    profile = Profile.model_validate(orthanc.profile("externe"))
    run = campaign(tmp_path, profile, "SCN-PUB-01", "SCN-PUB-04", "SCN-IMG-02")
    (unseen,) = told(run).items()
    assert unseen[0] == "SCN-PUB-01"
    assert "le voisin pacs est externe : le banc ne voit pas ses échanges" in unseen[1]
