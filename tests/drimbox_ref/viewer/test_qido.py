"""QIDO-RS from manifests alone: what is told, what a query keeps."""

from __future__ import annotations

import pytest

from drimbox_ref.viewer import qido

ROOT = "/session/x/dicomweb"


def study(
    uid: str, *, date: str = "20261120", name: str = "PAT-TROIS^DOMINIQUE"
) -> qido.KnownStudy:
    return qido.KnownStudy(
        uid=uid,
        date=date,
        time="",
        description="Scanner",
        accession="ACC-1",
        modalities=("CT", "SR"),
        patient_name=name,
        patient_id="IPP",
        birth_date="19790328",
        sex="F",
        series=(
            qido.KnownSeries(
                uid=f"{uid}.1",
                modality="CT",
                description="S1",
                body_part="",
                instances=frozenset({f"{uid}.1.2", f"{uid}.1.1"}),
            ),
        ),
    )


STUDIES = qido.studies([study("1.2"), study("1.3", date="20250101", name="AUTRE^NOM")], root=ROOT)


def uids(models: list[qido.Model]) -> list[str]:
    return [model["0020000D"]["Value"][0] for model in models]


def test_a_study_is_told_from_its_manifest() -> None:
    told = STUDIES[0]
    assert told["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "PAT-TROIS^DOMINIQUE"}]}
    assert told["00080061"]["Value"] == ["CT", "SR"]
    assert (told["00201206"]["Value"], told["00201208"]["Value"]) == ([1], [2])
    assert told["00081190"]["Value"] == [f"{ROOT}/studies/1.2"]
    assert told["00080030"] == {"vr": "TM"}


def test_series_and_instances() -> None:
    one = study("1.2")
    (series,) = qido.series(one, root=ROOT)
    assert series["0020000E"]["Value"] == ["1.2.1"]
    assert series["00201209"]["Value"] == [2]
    instances = qido.instances(one, one.series[0], root=ROOT)
    assert [model["00080018"]["Value"] for model in instances] == [["1.2.1.1"], ["1.2.1.2"]]
    assert instances[0]["00081190"]["Value"] == [
        f"{ROOT}/studies/1.2/series/1.2.1/instances/1.2.1.1"
    ]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ([], ["1.2", "1.3"]),
        ([("StudyInstanceUID", "1.2")], ["1.2"]),
        ([("0020000D", "1.3,9")], ["1.3"]),
        ([("0020000d", "1.2\\1.3")], ["1.2", "1.3"]),
        ([("StudyDate", "20260101-")], ["1.2"]),
        ([("StudyDate", "-20251231")], ["1.3"]),
        ([("StudyDate", "20250101")], ["1.3"]),
        ([("PatientName", "autre*")], ["1.3"]),
        ([("PatientName", "*********************x")], []),
        ([("PatientID", "IP?")], ["1.2", "1.3"]),
        ([("PatientID", "ip?")], []),
        ([("ModalitiesInStudy", "SR")], ["1.2", "1.3"]),
        ([("ModalitiesInStudy", "MR")], []),
        ([("limit", "1")], ["1.2"]),
        ([("offset", "1"), ("limit", "5")], ["1.3"]),
        ([("includefield", "all"), ("fuzzymatching", "false"), ("00189999", "x")], ["1.2", "1.3"]),
        ([("StudyInstanceUID", "")], ["1.2", "1.3"]),
    ],
)
def test_what_a_query_keeps(query: list[tuple[str, str]], kept: list[str]) -> None:
    assert uids(qido.kept(STUDIES, query)) == kept


@pytest.mark.parametrize("value", ["x", "-1", "", "1" * 10])
def test_a_limit_that_is_no_number(value: str) -> None:
    with pytest.raises(qido.BadQuery, match="limit"):
        qido.kept(STUDIES, [("limit", value)])
