"""Five things wrong with a product, one of each kind: five faults, each laid at the right door."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from bench.bed import Bed
from bench.doctor import Check, Given, State, examine
from bench.doctor_listing import examine_listing
from bench.doctor_seen import examine_journal
from bench.doctor_world import examine_world
from bench.errors import BenchError
from bench.neighbours import Neighbours
from bench.process import ChildBox
from bench.profile import NeighbourPapers, Profile, read
from bench.standing import hand_over, standing
from protocols.whitelist import Domain
from simulators import pacs
from simulators.ans import Ans, Signer
from simulators.ans.names import Directory, Place
from simulators.ans.names import start as start_names
from simulators.igc import Pki
from simulators.pacs import PacsConfig
from tests.bench.test_external import free_ports, profile
from validators.finding import Cause
from wire.exchange import Direction, Exchange, Outcome, TlsInfo, ignore, stamp
from wire.shard import Shard

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


def nobody(host: str) -> set[str]:
    """A machine that knows no name of the bench."""
    return set()


def faults(found: list[Check]) -> dict[str, Cause | None]:
    return {one.name.split()[0]: one.cause for one in found if one.state is State.FAULT}


def test_a_product_that_is_well(bed: Bed, tmp_path: Path) -> None:
    boxes = [start(tmp_path), start(tmp_path, "consumer")]
    try:
        listed = signed_list(bed, tmp_path / "l.xml", bed.site.names.source)
        found = list(examine(bed, Given(white_list=listed), resolve=nobody))
    finally:
        for box in boxes:
            box.stop()
    assert {one.state for one in found} == {State.GOOD}, found
    assert len(found) == 17


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
        found = list(
            examine(
                bed, Given(white_list=absent), clock=lambda: bed.clock() - timedelta(minutes=10)
            )
        )
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
    found = list(examine(bed, Given()))
    assert set(faults(found).values()) == {Cause.BOX}
    asked = [one for one in found if one.name.startswith(("source", "consumer"))]
    assert {one.state for one in asked} == {State.FAULT, State.SKIP}
    assert {one.state for one in found if one not in asked} == {State.GOOD}


def test_a_name_that_nobody_knows(bed: Bed) -> None:
    source = bed.profile.source.model_copy(update={"mllp": "nulle-part.invalid:2575"})
    bed.profile = bed.profile.model_copy(update={"source": source})
    found = {one.name: one for one in examine(bed, Given())}
    assert found["source.mllp nulle-part.invalid:2575"].cause is Cause.PROFILE


def test_a_list_that_is_none(bed: Bed, tmp_path: Path) -> None:
    wrong = tmp_path / "l.xml"
    wrong.write_text("<a/>")
    *_, last = examine(bed, Given(white_list=wrong))
    assert (last.state, last.cause) == (State.FAULT, Cause.PROFILE)
    with pytest.raises(BenchError, match="illisible"):
        list(examine(bed, Given(white_list=tmp_path / "absente.xml")))


def test_boxes_that_the_bench_starts_itself(bed: Bed) -> None:
    bed.profile = Profile(world=bed.profile.world)
    (only,) = examine(bed, Given())
    assert only.state is State.SKIP


def blamed(found: Iterable[Check]) -> dict[str, tuple[State, Cause | None]]:
    return {one.name: (one.state, one.cause) for one in found if one.state is not State.GOOD}


def test_a_name_that_leads_elsewhere_is_the_machine_s(bed: Bed) -> None:
    host = bed.site.names.neighbour
    found = list(examine_world(bed, lambda name: {"203.0.113.9"} if name == host else set()))
    assert blamed(found) == {f"nom {host}": (State.FAULT, Cause.MACHINE)}
    assert "203.0.113.9" in next(one.message for one in found if one.name == f"nom {host}")


def test_another_who_answers_names_on_our_port(bed: Bed) -> None:
    """Who holds the port of `[world] dns` gives other addresses: the bench is not where it says."""
    place = Place(ip_address("192.0.2.1"))
    bed.places = lambda: {bed.site.names.dmp: place}  # type: ignore[method-assign]
    with asked_elsewhere() as port:
        world = bed.profile.world.model_copy(update={"dns": port})
        bed.profile = bed.profile.model_copy(update={"world": world})
        first = next(iter(examine_world(bed, nobody)))
    assert (first.name, first.cause) == (f"nom {bed.site.names.dmp}", Cause.BENCH)
    assert "198.51.100.7" in first.message


@contextmanager
def asked_elsewhere() -> Iterator[int]:
    place = Place(ip_address("198.51.100.7"))
    with start_blocking_portal() as portal:
        directory = Directory(lambda: {"dmp.drimbench.test": place})
        server = portal.call(lambda: start_names(directory, observe=ignore))
        yield server.port
        portal.call(server.stop)


def test_services_that_the_box_would_not_meet(bed: Bed) -> None:
    bed.pacs.stop()
    bed.call(bed.dmp.kill)
    found = list(examine_world(bed, nobody))
    assert {name.split()[0]: cause for name, (_, cause) in blamed(found).items()} == {
        "DMP": Cause.BENCH,
        "PACS": Cause.BENCH,
    }
    bed.papers = replace(bed.papers, market_trust=bed.papers.igc_trust)
    found = list(examine_world(bed, nobody))
    told = {one.name.split()[0]: one.message for one in found if one.state is State.FAULT}
    assert set(told) == {"DMP", "Pro", "API", "liste", "PACS"}
    assert "certificat non reconnu" in told["Pro"]


def test_whom_a_box_has_reached(bed: Bed, tmp_path: Path) -> None:
    shard = Shard(tmp_path / "passe", "bench")
    utc, mono = stamp()

    def met(actor: str, outcome: Outcome, reason: str | None = None) -> None:
        shard.observe(
            Exchange(
                protocol="TLS" if reason else "HTTP", actor=actor, peer="10.0.0.9:4242",
                direction=Direction.IN, outcome=outcome, connection="1", utc=utc,
                mono_start=mono, mono_end=mono, tls=TlsInfo(reason=reason) if reason else None,
            )
        )  # fmt: skip

    met("ans", Outcome.ANSWERED)
    met("ans", Outcome.REFUSED, "closed")
    met("psc", Outcome.REFUSED, "TLSV1_ALERT_UNKNOWN_CA")
    met("dmp", Outcome.REFUSED, "PEER_DID_NOT_RETURN_A_CERTIFICATE")
    met("pacs-local", Outcome.REFUSED)
    shard.close()
    found = {one.name: one for one in examine_journal(bed, tmp_path / "passe")}
    assert found.pop("vu par liste blanche").state is State.GOOD
    assert blamed(found.values()) == {
        "vu par Pro Santé Connect": (State.FAULT, Cause.BOX),
        "vu par DMP": (State.FAULT, Cause.BOX),
        "vu par PACS local": (State.FAULT, Cause.BOX),
        "vu par PACS": (State.WARN, Cause.BOX),
    }
    assert "confiance/marche.pem" in found["vu par Pro Santé Connect"].advice
    assert "certificat client" in found["vu par DMP"].advice
    assert "pas encore" in found["vu par PACS"].message
    with pytest.raises(BenchError, match="aucun journal"):
        list(examine_journal(bed, tmp_path / "rien"))


def test_a_consumer_is_listed_by_its_certificate(bed: Bed, tmp_path: Path) -> None:
    claims = bed.profile.claims.model_copy(update={"source": False})
    bed.profile = bed.profile.model_copy(update={"claims": claims})
    listed = signed_list(bed, tmp_path / "l.xml", "db7.example.test")  # with the Source's DN
    (absent,) = examine_listing(bed, listed, None)
    assert (absent.state, absent.cause) == (State.FAULT, Cause.BOX)
    assert bed.papers.dns["consumer"] in absent.message
    (present,) = examine_listing(bed, listed, bed.papers.clients["source"].certificate)
    assert present.state is State.GOOD
    assert "db7.example.test" in present.message
    with pytest.raises(BenchError, match="certificat PEM ou DER attendu"):
        examine_listing(bed, listed, listed)


def test_real_neighbours_as_the_box_will_meet_them(profile: Path, tmp_path: Path) -> None:
    """A PACS that takes calls from whom it knows, and a DMP whose authority nobody gave."""
    (port,) = free_ports(1)
    target = read(profile)
    archive = pacs.build(
        PacsConfig(ae_title="ORTHANC", port=port, calling_ae_titles=frozenset({"CONNUE"})), ignore
    )

    def looked_at(**changed: object) -> dict[str, Check]:
        real = target.model_copy(
            update={
                "neighbours": Neighbours(
                    pacs=f"externe 127.0.0.1:{port} ORTHANC",
                    dmp=f"externe https://127.0.0.1:{target.world.psc}/si-dmp",
                ),
                **changed,
            }
        )
        with standing(real, tmp_path / "banc", 1, ignore) as bed:
            found = examine_world(bed, nobody)
            return {one.name.partition(" AE")[0].partition(" 127")[0]: one for one in found}

    absent = looked_at()
    assert absent["PACS"].cause is Cause.MACHINE  # nobody is there
    assert "[neighbours]" in absent["PACS"].advice
    assert absent["DMP"].cause is Cause.PROFILE
    assert "[[papers]]" in absent["DMP"].advice
    known = target.source.model_copy(update={"ae_title": "CONNUE"})
    trusted = NeighbourPapers(neighbour="dmp", trust=f"{target.world.pki}/market-trust.pem")
    with archive:
        stranger = looked_at()
        assert stranger["PACS"].cause is Cause.MACHINE
        assert "déclarer DRIMBOX" in stranger["PACS"].advice
        found = looked_at(source=known, papers=(trusted,))
    assert {one.state for one in found.values()} == {State.GOOD}
