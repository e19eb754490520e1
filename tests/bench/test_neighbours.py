"""Real neighbours: what a profile says of them, and what campaigns then see, do and skip."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import tomli_w
from anyio.from_thread import start_blocking_portal

from bench.archives import by_c_get
from bench.bed import Bed
from bench.campaign import Options, play
from bench.cases import mint
from bench.feed import Feed
from bench.flows import flows
from bench.neighbours import Manner, Neighbours
from bench.outcomes import CannotVerify
from bench.papers import papers
from bench.parallel import serial_because
from bench.patients import Lent, TestPatient
from bench.profile import EMBEDDED, Profile, ProfileError, read
from bench.real import RealAns, RealDmp, RealLocalPacs, RealPacs, RealPsc, RealRis
from bench.results import Run
from bench.site import site_of
from bench.verdicts import Verdict
from drimbench.counter.faults import menus
from drimbench.counter.state import panels
from features import FEATURES, STEP_MODULES
from protocols.kos import Code, InstanceRef, Manifest, SeriesEvidence, StudyEvidence, encode
from reports.html import render
from simulators import dmp, modality, pacs
from simulators.dmp import DmpConfig, DmpState
from simulators.dmp import Patient as DmpPatient
from simulators.dmp.naming import label as dmp_label
from simulators.igc.pki import Pki
from simulators.pacs import Instance, Pacs, PacsConfig
from simulators.psc.naming import label as psc_label
from spec.dicom import REJECTION_TITLES
from spec.dmp import Masking
from tests.bench.test_external import free_ports
from wire.dimse import DimsePeer
from wire.exchange import Direction, Exchange, ignore
from wire.mllp import MllpClient, serve_mllp
from wire.shard import Shard
from wire.tls import ServerTls

DMP = "https://dmp.exemple.fr/si-dmp-server/v2/services"
STATES = {"ouvert": DmpState.OPEN, "fermé": DmpState.CLOSED}


def profile_of(tmp_path: Path, **tables: Any) -> Profile:
    file = tmp_path / "profil.toml"
    file.write_text(tomli_w.dumps(tables))
    return read(file)


# What a profile says --------------------------------------------------------------------------


def test_the_lines_of_a_profile(tmp_path: Path) -> None:
    profile = profile_of(
        tmp_path,
        neighbours={
            "dmp": f"écouté {DMP}",
            "psc": "externe https://auth.bas.exemple.fr:8443/auth/realms/esante-wallet",
            "pacs": "écouté pacs.site:11112 PACS DU SITE",
            "local_pacs": "externe [::1]:104 LOCAL",
            "ris": "écouté",
        },
        papers=[{"neighbour": "dmp", "trust": "a.pem", "certificate": "c.pem", "key": "/k.pem"}],
    )
    found = {one.name: one for one in profile.neighbours.real}
    assert set(found) == {"dmp", "psc", "pacs", "local_pacs", "ris"}
    assert (found["dmp"].host, found["dmp"].port, found["dmp"].url) == ("dmp.exemple.fr", 443, DMP)
    assert (found["psc"].manner, found["psc"].port) == (Manner.EXTERNAL, 8443)
    pacs_ = found["pacs"]
    assert (pacs_.host, pacs_.port, pacs_.ae_title) == ("pacs.site", 11112, "PACS DU SITE")
    assert found["local_pacs"].host == "::1"
    given = profile.papers_of("dmp")
    assert given is not None
    assert (given.trust, given.key, given.client_ca) == (f"{tmp_path}/a.pem", "/k.pem", "")
    assert set(profile.unseen()) >= {"introspection", "C-STORE"}
    assert "ITI-41" not in profile.unseen()  # it is tapped, and there are papers for it
    assert "C-FIND" not in profile.unseen()


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"neighbours": {"dmp": "réel"}}, "neighbours.dmp.*« simulé ».*trouvé : 'réel'"),
        ({"neighbours": {"dmp": "externe http://clair/"}}, "neighbours.dmp.*https"),
        ({"neighbours": {"dmp": "écouté"}}, "neighbours.dmp.*écouté https"),
        ({"neighbours": {"dmp": f"simulé {DMP}"}}, "neighbours.dmp.*sans adresse"),
        ({"neighbours": {"pacs": "externe pacs.site:11112"}}, "neighbours.pacs.*PORT AE"),
        ({"neighbours": {"pacs": "externe pacs.site:99999 AE"}}, "neighbours.pacs.*PORT AE"),
        ({"neighbours": {"pacs": f"externe pacs.site:1 {'A' * 17}"}}, "neighbours.pacs"),
        ({"neighbours": {"ris": "externe ris:2575"}}, "neighbours.ris.*sans adresse"),
        ({"neighbours": {"igc": "externe"}}, "neighbours.igc"),
        ({"papers": [{"neighbour": "dmp", "trust": "a"}]}, "dmp est simulé"),
        (
            {
                "neighbours": {"dmp": f"écouté {DMP}"},
                "papers": [{"neighbour": "dmp", "trust": "a", "key": "k"}],
            },
            "vont ensemble",
        ),
        ({"patients": [{"ins": "12", "family": "A"}]}, r"patients.0.ins"),
    ],
)
def test_lines_that_are_wrong(tmp_path: Path, tables: dict[str, Any], told: str) -> None:
    with pytest.raises(ProfileError, match=told):
        profile_of(tmp_path, **tables)


def test_a_tap_without_papers_sees_nothing_that_is_sealed() -> None:
    profile = Profile(neighbours=Neighbours(dmp=f"écouté {DMP}"))
    assert "ne voit que ses connexions" in profile.unseen()["ITI-41"]


# What a stand-in does -------------------------------------------------------------------------


def test_what_only_a_simulator_can_do() -> None:
    known = Neighbours(
        dmp=f"écouté {DMP}", psc="externe https://psc/realms/x", ans="externe https://ans/l.xml",
        pacs="écouté 127.0.0.1:9 AE", local_pacs="externe 127.0.0.1:9 AE", ris="externe",
    )  # fmt: skip
    real_dmp, real_psc = RealDmp(known.of("dmp")), RealPsc(known.of("psc"))
    real_pacs = RealPacs(
        known.of("pacs"), ("127.0.0.1", 9), lambda files: {"1.2": "plein"}, lambda sent: sent
    )
    local = RealLocalPacs(known.of("local_pacs"), ("127.0.0.1", 9))
    ris = RealRis(known.of("ris"), None)  # type: ignore[arg-type]
    fault = "le voisin dmp est écouté : le banc ne sait pas simuler cette panne"

    commands: list[tuple[Any, str]] = [
        (lambda: real_dmp.faults.set("http", "TD2.1"), fault),
        (lambda: real_pacs.faults.clear(), "le voisin pacs est écouté : .* simuler cette panne"),
        (lambda: _await(real_dmp.kill()), fault),
        (lambda: _await(real_dmp.restart()), fault),
        (lambda: real_dmp.register_patient(DmpPatient(matricule="1")), "créer de patient"),
        (lambda: real_dmp.documents(), "détient"),
        (lambda: real_dmp.deposit(None, b"", "", ""), "déposer"),  # type: ignore[arg-type]
        (lambda: real_dmp.hide("1.2", Masking.PROFESSIONALS), "y masquer"),
        (lambda: real_psc.lifetimes, "le voisin psc est externe : .* simuler cette panne"),
        (lambda: real_psc.professional("1"), "personne qui s'authentifie"),
        (lambda: real_psc.issue(None, "c"), "jeton"),  # type: ignore[arg-type]
        (lambda: real_pacs.stored("1.2"), "changé aux images"),
        (lambda: real_pacs.load(b""), "ranger d'image .plein."),
        (lambda: real_pacs.remove(study="1.2"), "n'y retire rien ; source.pacs_changes le ferait"),
        (lambda: real_pacs.reject(b""), "n'y rejette rien ; source.pacs_changes le ferait"),
        (lambda: real_pacs.forward(b"", DimsePeer("h", 1, "BOX")), "n'envoie rien à sa place"),
        (local.instances, "ne voit pas ses échanges"),
        (lambda: local.load(b""), "n'y range rien"),
        (lambda: _await(ris.send(b"", ("h", 1))), "n'envoie pas"),
        (lambda: RealAns(known.of("ans")).lists("CN=x"), "inscrire"),
    ]
    for command, told in commands:
        with pytest.raises(CannotVerify, match=told):
            command()


# A PACS that has a program ---------------------------------------------------------------------


STUDY, NOTE, NOTE_SERIES = "2.25.20", "2.25.40", "2.25.41"


def exam_files() -> list[bytes]:
    """Two series of two images."""
    patient = modality.Patient(
        name="A^B", patient_id="1", issuer="I", issuer_oid="2.25.1", birth_date="19700101", sex="F"
    )
    return list(
        modality.make(
            modality.Exam(
                patient=patient, study_uid=STUDY, accession="ACC", accession_issuer_oid="2.25.2",
                series=tuple(
                    modality.Series(
                        modality="CT", description="S", count=2, uid=f"2.25.3{n}", number=n
                    )
                    for n in (1, 2)
                ),
                date="20261122", time="101500", description="CT", matrix=16,
            )
        )
    )  # fmt: skip


def note(title: str, rejected: Sequence[Instance]) -> bytes:
    """An IOCM note on these instances."""
    refs = tuple(InstanceRef(one.sop_class, one.sop_instance) for one in rejected)
    series = SeriesEvidence(series_uid=rejected[0].series_uid, instances=refs)
    return encode(
        Manifest(
            sop_instance=NOTE,
            series_uid=NOTE_SERIES,
            study_uid=STUDY,
            title=(Code(*REJECTION_TITLES[title]),),
            studies=(StudyEvidence(STUDY, (series,)),),
            content=(),
        )
    )


@pytest.fixture
def asked() -> list[tuple[str, ...]]:
    return []


@pytest.fixture
def driven(asked: list[tuple[str, ...]]) -> RealPacs:
    """A PACS with a program, which keeps what it is asked; it holds an exam."""
    neighbour = Neighbours(pacs="écouté 127.0.0.1:9 AE").of("pacs")
    made = RealPacs(
        neighbour, ("127.0.0.1", 9), lambda files: {}, lambda sent: sent,
        lambda action, identifiers: asked.append((action, *identifiers)),
    )  # fmt: skip
    for file in exam_files():
        made.load(file)
    return made


def test_a_program_takes_images_out(driven: RealPacs, asked: list[tuple[str, ...]]) -> None:
    first = driven.instances(STUDY)[0]
    assert driven.remove(instance=first.sop_instance) == 1
    assert driven.count(STUDY) == 3
    assert driven.remove(study=STUDY) == 3
    assert driven.count() == 0
    assert asked == [
        ("remove-instance", STUDY, first.series_uid, first.sop_instance),
        ("remove-study", STUDY),
    ]


@pytest.mark.parametrize(
    ("title", "regular_use", "left"),
    [("113037", False, 2), ("113037", True, 2), ("113001", True, 4), ("113001", False, 2)],
)
def test_a_note_is_taken_applied_and_sent(
    driven: RealPacs, asked: list[tuple[str, ...]], title: str, regular_use: bool, left: int
) -> None:
    held = driven.instances(STUDY, "2.25.32")
    file = note(title, held)
    assert driven.reject(file, regular_use=regular_use) == 4 - left
    assert {one.series_uid for one in driven.instances(STUDY)} == {
        "2.25.31", NOTE_SERIES, *(["2.25.32"] if left == 4 else []),
    }  # fmt: skip
    assert driven.forward(file, DimsePeer("127.0.0.1", 1, "BOX")) == 0x0000
    gone = held if left == 2 else ()
    removed = [("remove-instance", STUDY, "2.25.32", one.sop_instance) for one in gone]
    assert asked == [*removed, ("send", STUDY, NOTE_SERIES, NOTE, "BOX")]


def test_what_a_pacs_holds_is_asked_of_it() -> None:
    """By C-GET: a PACS may coerce what it takes."""
    files = exam_files()
    coerced = files[0].replace(b"A^B ", b"Z^Y ")
    assert coerced != files[0]
    with pacs.build(PacsConfig(ae_title="SITE"), ignore) as site:
        peer = DimsePeer(site.host, site.port, "SITE")
        made = RealPacs(
            Neighbours(pacs="écouté 127.0.0.1:9 SITE").of("pacs"), ("127.0.0.1", 9),
            lambda files: {}, by_c_get(peer, timeout=10),
        )  # fmt: skip
        sent = [made.load(file) for file in files]
        site.load(coerced)
        stored = made.stored(sent[0].sop_instance)
        assert stored is not None
        assert stored.file() == coerced
        with pytest.raises(CannotVerify, match=r"changé aux images .* \(C-GET : "):
            made.stored(sent[1].sop_instance)


def _await(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return


def someone(number: int, state: str = "ouvert") -> TestPatient:
    part = mint(f"patient {number}", 1).patient
    return TestPatient(
        ins=part.ins, family=part.family, given=part.given, birth_date=part.birth_date,
        sex=part.sex, dmp=state,
    )  # fmt: skip


def test_patients_serve_in_turn() -> None:
    known = Neighbours(dmp=f"écouté {DMP}").of("dmp")
    open_ = [someone(number) for number in range(2)]
    lent = Lent(known, [*open_, someone(2, "fermé")])
    part = mint("SCN-X", 1).patient
    served = [lent.admit(part, DmpState.OPEN) for _ in range(3)]
    assert [one.ins for one in served] == [open_[0].ins, open_[1].ins, open_[0].ins]
    assert {one.ipp for one in served} == {part.ipp}
    assert lent.admit(part, DmpState.OPEN, apart_from=open_[1].ins).ins == open_[0].ins
    with pytest.raises(CannotVerify, match="dont le DMP est inexistant"):
        lent.admit(part, DmpState.NONE)
    with pytest.raises(CannotVerify, match="un autre dont le DMP est fermé"):
        lent.admit(part, DmpState.CLOSED, apart_from=someone(2).ins)


# Campaigns ------------------------------------------------------------------------------------


@dataclass
class Site:
    """A DMP and a PACS that belong to somebody else, and what they saw."""

    keep: Path
    dmp_url: str
    patients: tuple[TestPatient, ...]
    pacs: Pacs
    local_pacs: Pacs
    seen: list[Exchange]
    auth: tuple[Path, Path]
    market: Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    keep = tmp_path / "pki"
    keep.mkdir()

    def clock() -> datetime:
        return datetime.now(UTC)

    known = site_of(EMBEDDED)
    pki = Pki.create(clock=clock, crl_url="http://127.0.0.1/crl", keep=keep)
    structures = {
        known.structure.id: (known.structure.name, known.source_cn),
        known.reader_structure: (known.reader_structure_name, known.consumer_cn),
    }
    issued = papers(pki, known, keep, structures)
    lent = (*(someone(number) for number in range(8)), someone(8, "fermé"))
    server, seen = issued.servers[known.names.dmp], []
    other = dmp.build(
        DmpConfig(
            tls=ServerTls(server.certificate, server.key, issued.igc_trust, "required"),
            trust=dmp.Trust(roots=(pki.igc_root,), intermediates=(pki.igc_intermediate,)),
            database=tmp_path / "autre.sqlite",
            clock=clock,
            uuid=uuid4,
            patients=tuple(
                DmpPatient(
                    matricule=one.ins, oid=one.ins_oid, family=one.family, given=one.given,
                    birth_date=f"{one.birth_date:%Y%m%d}", gender=one.sex, state=STATES[one.dmp],
                )
                for one in lent
            ),
        ),
        seen.append,
    )  # fmt: skip
    auth = issued.structures[known.structure.id][0]
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal("asyncio"))
        portal.call(other.start)
        stack.callback(portal.call, other.stop)
        archives = [
            stack.enter_context(pacs.build(PacsConfig(ae_title=title), seen.append))
            for title in ("PACSSITE", "LOCALSITE")
        ]
        yield Site(
            keep, other.url, lent, *archives, seen, (auth.certificate, auth.key),
            issued.market_trust,
        )  # fmt: skip


def campaign(tmp_path: Path, profile: Profile, *only: str, seed: int = 7) -> Run:
    return play(
        Options(
            features=FEATURES, steps=STEP_MODULES, runs=tmp_path / secrets.token_hex(3),
            profile=profile, only=only, seed=seed,
        )
    )  # fmt: skip


def recorded(run: Run, actor: str) -> list[Exchange]:
    every = [*run.ambient, *(one for scenario in run.scenarios for one in scenario.exchanges)]
    return [one.exchange for one in every if one.exchange.actor == actor]


def rules(run: Run) -> dict[str, list[str]]:
    return {one.id: sorted({found.rule for _, found in one.findings}) for one in run.scenarios}


def test_a_ris_that_is_listened_to(tmp_path: Path) -> None:
    """What it sends passes to the Source, and is recorded as the bench's own RIS would have."""
    (port,) = free_ports(1)
    seen: list[Exchange] = []
    profile = Profile.model_validate(
        {
            "neighbours": {"ris": "écouté", "psc": "externe https://psc.exemple.fr/realms/x"},
            "source": {"mllp": f"127.0.0.1:{port}"},
        }
    )
    shard = Shard(tmp_path, "bench")
    bed = Bed(profile, Feed(shard), tmp_path, 1, roles=frozenset())

    async def answer(message: bytes, peer: Any) -> bytes:
        return b"MSH|^~\\&|B|B|A|A|1||ACK|2|P|2.5\rMSA|AA|1\r"

    async def play() -> None:
        source = await serve_mllp(answer, actor="source", observe=seen.append, port=port)
        tap = bed.taps["ris"]
        async with MllpClient(tap.host, tap.port, actor="x", observe=ignore) as client:
            message = b"MSH|^~\\&|A|A|B|B|20260101||ORU^R01^ORU_R01|CTRL1|P|2.5\r"
            assert b"MSA|AA" in await client.send(message, timeout=5)
        await source.stop()

    bed.start()
    try:
        bed.call(play)
        assert bed.psc.issuer == "https://psc.exemple.fr/realms/x"
        (told,) = (one.exchange for one in bed.feed.since() if one.exchange.actor == "ris")
    finally:
        bed.stop()
        shard.close()
    assert (told.transaction, told.direction, told.peer) == ("ORU^R01", Direction.OUT, "source")
    assert told.request is not None
    assert seen[0].request is not None
    assert told.request.body == seen[0].request.body
    assert told.keys == ("CTRL1",)


def test_a_real_neighbour_in_the_flow_matrix(tmp_path: Path) -> None:
    profile = Profile.model_validate(
        {
            "neighbours": {
                "dmp": f"écouté {DMP}",
                "ans": "externe https://ans.exemple.fr/liste.xml",
                "pacs": "externe pacs.site:11112 AUTRE",
            },
            "papers": [{"neighbour": "dmp", "trust": str(tmp_path / "a.pem")}],
        }
    )
    shard = Shard(tmp_path, "bench")
    bed = Bed(profile, Feed(shard), tmp_path, 1, roles=frozenset())
    with pytest.raises(OSError, match="No such file"):  # what the tap is to trust is not there
        bed.start()
    bed.stop()
    (tmp_path / "a.pem").write_bytes(bed.papers.market_trust.read_bytes())
    bed = Bed(profile, Feed(shard), tmp_path, 1, roles=frozenset())
    bed.start()
    try:
        rows = {(one.caller, one.callee): one for one in flows(bed)}
        tap = bed.taps["dmp"]
        panels_ = {one.id: one for one in panels(bed)}
        choices = {menu.simulator for menu in menus(bed)} | set(bed.simulators.faults)
    finally:
        bed.stop()
        shard.close()
    dmp_row = rows["DRIMbox Source", "DMP"]
    assert dmp_row.address == f"{tap.host}:{tap.port}"
    assert dmp_row.server_certificate == "server-dmp.exemple.fr.pem"
    ans = rows["DRIMbox Source", "ANS"]
    assert (ans.address, ans.server_certificate) == ("ans.exemple.fr", "du voisin réel")
    assert rows["DRIMbox Source", "PACS"].address == "pacs.site:11112"
    assert "AE AUTRE" in rows["DRIMbox Source", "PACS"].purpose
    assert panels_["dmp"].facts == (("Voisin", "écouté"), ("Écoute", f"{tap.host}:{tap.port}"))
    assert choices == {"igc", "psc", "pacs-local", "source"}


def test_a_real_neighbour_is_met_by_one_bed(tmp_path: Path) -> None:
    profile = Profile(neighbours=Neighbours(dmp=f"externe {DMP}"))
    options = Options(features=FEATURES, steps=STEP_MODULES, profile=profile)
    assert serial_because(options) == "un voisin réel (dmp) se conduit en série"


CHAIN = ("SCN-PUB-01", "SCN-REF-02", "SCN-IMG-02", "SCN-CON-01", "SCN-CON-02")


@pytest.mark.slow
def test_a_dmp_that_is_listened_to_is_judged_as_ours(site: Site, tmp_path: Path) -> None:
    certificate, key = site.auth
    tapped = EMBEDDED.model_copy(
        update={
            "world": EMBEDDED.world.model_copy(update={"pki": str(site.keep)}),
            "neighbours": Neighbours(
                dmp=f"écouté {site.dmp_url}",
                local_pacs=f"écouté 127.0.0.1:{site.local_pacs.port} LOCALSITE",
            ),
            "papers": Profile.model_validate(
                {
                    "neighbours": {"dmp": f"écouté {site.dmp_url}"},
                    "papers": [
                        {
                            "neighbour": "dmp", "trust": str(site.market),
                            "certificate": str(certificate), "key": str(key),
                        }
                    ],
                }
            ).papers,
            "patients": site.patients,
        }
    )  # fmt: skip
    direct = campaign(tmp_path, EMBEDDED, *CHAIN)
    run = campaign(tmp_path, tapped, *CHAIN, "SCN-RES-01", "SCN-COR-05")
    verdicts = {one.id: (one.verdict, one.reason) for one in run.scenarios}
    assert {id: verdicts[id][0] for id in CHAIN} == dict.fromkeys(CHAIN, Verdict.PASS), verdicts
    assert verdicts["SCN-RES-01"][0] is Verdict.SKIP
    assert "le voisin dmp est écouté : le banc ne sait pas simuler" in verdicts["SCN-RES-01"][1]
    assert verdicts["SCN-COR-05"][0] is Verdict.SKIP
    assert "déposer" in verdicts["SCN-COR-05"][1]
    assert {id: found for id, found in rules(run).items() if id in CHAIN} == rules(direct)

    # What the tap tells is what the DMP itself told.
    there = [(e.transaction, e.detail) for e in site.seen if e.actor == "dmp"]
    here = [(e.transaction, e.detail) for e in recorded(run, "dmp")]
    assert sorted(here) == sorted(there)
    assert {name for name, _ in here} == {"ITI-41", "ITI-18", "ITI-43", "TD0.2"}
    assert run.meta["neighbours"] == {
        "dmp": f"écouté {site.dmp_url}",
        "local_pacs": f"écouté 127.0.0.1:{site.local_pacs.port} LOCALSITE",
    }
    page = render(run)
    assert "DMP (réel)" in page
    assert "PACS local (réel)" in page
    assert "Voisins réels" in page
    assert "DMP (réel)" not in render(direct)
    # And names are read as the simulators give them.
    for actor, label in (("dmp", dmp_label), ("psc", psc_label)):
        for one in recorded(direct, actor):
            if one.transaction in ("PSC-login", "TLS", ""):
                continue  # our own login page is no page of PSC's
            bare = label(replace(one, transaction="", detail="", keys=()))
            assert bare.transaction == one.transaction
            assert bare.detail == one.detail or actor == "psc"


@pytest.mark.slow
def test_a_pacs_that_is_listened_to(site: Site, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    site.pacs.add_destination("DRIMBOX", "127.0.0.1", port)
    profile = EMBEDDED.model_copy(
        update={
            "source": EMBEDDED.source.model_copy(update={"ports": {"dicom": port}}),
            "neighbours": Neighbours(pacs=f"écouté 127.0.0.1:{site.pacs.port} PACSSITE"),
        }
    )
    run = campaign(tmp_path, profile, "SCN-PUB-01", "SCN-IMG-01", "SCN-IMG-02")
    verdicts = {one.id: (one.verdict, one.reason) for one in run.scenarios}
    assert verdicts["SCN-PUB-01"][0] is Verdict.PASS, verdicts
    assert verdicts["SCN-IMG-01"][0] is Verdict.PASS, verdicts
    # It answers C-GET: what it made of the images is known.
    assert verdicts["SCN-IMG-02"][0] is Verdict.PASS, verdicts
    assert {one.transaction for one in recorded(run, "pacs")} == {"C-FIND", "C-MOVE"}


@pytest.mark.slow
def test_what_is_out_of_sight_is_never_judged(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    url = f"https://127.0.0.1:{port}/si-dmp-server/v2/services"
    profile = EMBEDDED.model_copy(update={"neighbours": Neighbours(dmp=f"externe {url}")})
    only = ("SCN-PUB-01", "SCN-PUB-02", "SCN-REF-02", "SCN-IMG-02", "SCN-RES-04", "SCN-CON-01")
    run = campaign(tmp_path, profile, *only, "SCN-COR-01", "SCN-REF-06")
    reasons = {one.id: one.reason for one in run.scenarios if one.verdict is Verdict.SKIP}
    assert set(reasons) == {*only, "SCN-COR-01"}
    unseen = "le voisin dmp est externe : le banc ne voit pas ses échanges"
    fault = "le voisin dmp est externe : le banc ne sait pas simuler cette panne"
    for id, reason in reasons.items():
        assert (fault if id == "SCN-RES-04" else unseen) in reason
    (refused,) = (one for one in run.scenarios if one.id == "SCN-REF-06")
    assert refused.verdict is Verdict.PASS  # it needs no DMP to be seen
    assert not recorded(run, "dmp")
