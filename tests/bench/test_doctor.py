"""Five things wrong with a product, one of each kind: five faults, each laid at the right door."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench.bed import Bed
from bench.doctor import Check, State, examine
from bench.errors import BenchError
from bench.process import ChildBox
from bench.profile import Profile, read
from bench.standing import hand_over, standing
from protocols.whitelist import Domain
from simulators.ans import Ans, Signer
from simulators.igc import Pki
from tests.bench.test_external import free_ports, profile
from validators.finding import Cause
from wire.exchange import ignore

__all__ = ["profile"]

REFERENCE = [sys.executable, "-m", "drimbox_ref"]
GIVEN = ["--config", "{config}", "--ready", "{ready}"]


@pytest.fixture
def bed(profile: Path, tmp_path: Path) -> Iterator[Bed]:
    with standing(read(profile), tmp_path / "banc", 1, ignore) as made:
        hand_over(made, tmp_path / "banc")
        yield made


def start(tmp_path: Path, role: str = "source", **changed: str) -> ChildBox:
    """The reference as it was configured, but for what was changed in its file."""
    folder = tmp_path / "banc" / "boites"
    config = folder / f"{role}.toml"
    text = config.read_text()
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    box = ChildBox(role, [*REFERENCE, role, *GIVEN], config, folder)
    box.start(30)
    return box


def signed_list(bed: Bed, file: Path, host: str) -> Path:
    signer = bed.papers.list_signer
    ans = Ans(signer=Signer(signer.key, signer.certificate), clock=bed.clock)
    ans.publish([Domain(identifier="1", db=host, operator_dn=bed.papers.dns["source"])])
    data = ans.document()
    assert data is not None
    file.write_bytes(data)
    return file


def faults(found: list[Check]) -> dict[str, Cause | None]:
    return {one.name.split()[0]: one.cause for one in found if one.state is State.FAULT}


def test_a_product_that_is_well(bed: Bed, tmp_path: Path) -> None:
    boxes = [start(tmp_path), start(tmp_path, "consumer")]
    try:
        listed = signed_list(bed, tmp_path / "l.xml", bed.site.names.source)
        found = list(examine(bed, listed))
    finally:
        for box in boxes:
            box.stop()
    assert {one.state for one in found} == {State.GOOD}, found
    assert len(found) == 10


def test_five_faults(bed: Bed, tmp_path: Path) -> None:
    host = bed.site.names.source
    kept = Pki.create(
        clock=bed.clock, crl_url=bed.papers.pki.crl_url, keep=Path(bed.profile.world.pki)
    )
    old = kept.server(host, expired=True).write(tmp_path, "vieux")
    right = bed.papers.servers[host]
    box = start(
        tmp_path,
        **{str(right.certificate): str(old.certificate), str(right.key): str(old.key)},
    )
    (free,) = free_ports(1)
    source = bed.profile.source.model_copy(
        update={"mllp": f"127.0.0.1:{free}", "ae_title": "AUTRE"}
    )
    claims = bed.profile.claims.model_copy(update={"consumer": False})
    bed.profile = bed.profile.model_copy(update={"source": source, "claims": claims})
    absent = signed_list(bed, tmp_path / "l.xml", "db7.example.test")
    try:
        found = list(examine(bed, absent, clock=lambda: bed.clock() - timedelta(minutes=10)))
    finally:
        box.stop()
    assert faults(found) == {
        "source.mllp": Cause.PROFILE,
        "source.wado": Cause.BOX,
        "source": Cause.BOX,
        "source.dicom": Cause.PROFILE,
        "liste": Cause.BOX,
    }
    told = " ".join(one.message for one in found)
    for words in ("rien n'écoute", "expiré", "Called AE", "n'y est pas"):
        assert words in told
    offset = re.search(r"décalée de (\d+) s", told)
    assert offset is not None
    assert 540 < int(offset[1]) < 660
    assert all(one.advice for one in found if one.state is State.FAULT)
    skipped = [one for one in found if one.state is State.SKIP]
    assert [one.message for one in skipped] == ["le serveur n'est pas reconnu"]


def test_nobody_is_there(bed: Bed) -> None:
    """One cause, the box, for each address; what needs them is skipped, not blamed."""
    found = list(examine(bed, None))
    assert set(faults(found).values()) == {Cause.BOX}
    assert {one.state for one in found} == {State.FAULT, State.SKIP}


def test_a_name_that_nobody_knows(bed: Bed) -> None:
    source = bed.profile.source.model_copy(update={"mllp": "nulle-part.invalid:2575"})
    bed.profile = bed.profile.model_copy(update={"source": source})
    found = {one.name: one for one in examine(bed, None)}
    assert found["source.mllp nulle-part.invalid:2575"].cause is Cause.PROFILE


def test_a_list_that_is_none(bed: Bed, tmp_path: Path) -> None:
    wrong = tmp_path / "l.xml"
    wrong.write_text("<a/>")
    *_, last = examine(bed, wrong)
    assert (last.state, last.cause) == (State.FAULT, Cause.PROFILE)
    with pytest.raises(BenchError, match="illisible"):
        list(examine(bed, tmp_path / "absente.xml"))


def test_boxes_that_the_bench_starts_itself(bed: Bed) -> None:
    bed.profile = Profile(world=bed.profile.world)
    (only,) = examine(bed, None)
    assert only.state is State.SKIP
