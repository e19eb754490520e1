"""A world that is at another address than the box: told, certified, named and reached."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from bench.campaign import Options, play
from bench.doctor_world import examine_world
from bench.profile import ProfileError, World, read
from bench.standing import hand_over, standing
from bench.verdicts import Verdict
from drimbench.data_push import dmp_of
from features import FEATURES, STEP_MODULES
from tests.bench.test_external import set_up, written_profile
from validators.finding import Cause
from wire.exchange import ignore


def _bindable(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family)) as one:
        try:
            one.bind((address, 0))
        except OSError:
            return False
    return True


def _needs(address: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not _bindable(address), reason=f"{address} is not of this machine")


@pytest.mark.slow
@_needs("127.0.0.2")
def test_a_box_here_and_the_world_elsewhere(tmp_path: Path) -> None:
    profile = written_profile(tmp_path, address="127.0.0.2")
    played = ("SCN-PUB-02", "SCN-IMG-02", "SCN-CON-02")
    with set_up(profile):
        run = play(
            Options(
                features=FEATURES,
                steps=STEP_MODULES,
                runs=tmp_path / "runs",
                profile=read(profile),
                only=played,
            )
        )
    assert {one.id: one.verdict for one in run.scenarios} == dict.fromkeys(played, Verdict.PASS)


@pytest.mark.parametrize(
    "address", [pytest.param(one, marks=_needs(one)) for one in ("127.0.0.2", "::1")]
)
def test_what_is_handed_over_is_that_address(address: str, tmp_path: Path) -> None:
    target = read(written_profile(tmp_path, address=address))
    with standing(target, tmp_path / "banc", 1, ignore) as bed:
        lines, _ = hand_over(bed, tmp_path / "banc")
        checks = list(examine_world(bed, lambda host: set()))
    own = {target.source.wado, target.consumer.web}
    assert not [one for one in lines if one.value not in own and "127.0.0.1" in one.value]
    shown = f"[{address}]" if ":" in address else address
    values = {one.who: one.value for one in lines}
    assert values["DMP"].startswith(f"https://{shown}:{target.world.dmp}/")
    assert values["PACS"] == f"{shown}:{target.world.pacs}"
    assert f"http://{shown}:{target.world.igc}/" in values["IGC"]
    # Each certificate proves the address by which its server is reached, and DNS says it.
    assert {one.state.value for one in checks} == {"good"}, checks
    assert f"{shown}:{target.world.dns}" in (tmp_path / "banc/flux.md").read_text()
    config = (tmp_path / "banc/boites/source.toml").read_text()
    assert f"https://{shown}:{target.world.dmp}" in config
    assert 'host = "127.0.0.1"' in config  # the box is where its profile says
    assert dmp_of(target).startswith(f"https://{shown}:")


@_needs("127.0.0.2")
def test_certificates_of_another_address_are_told(tmp_path: Path) -> None:
    target = read(written_profile(tmp_path))
    moved = target.world.model_copy(update={"address": "127.0.0.2"})
    with standing(target, tmp_path / "un", 1, ignore) as bed:
        before = bed.papers.servers[bed.site.names.dmp].certificate.read_bytes()
    after = target.model_copy(update={"world": moved})
    with standing(after, tmp_path / "deux", 1, ignore) as bed:
        checks = [one for one in examine_world(bed, lambda host: set()) if one.cause]
        assert before != bed.papers.servers[bed.site.names.dmp].certificate.read_bytes()
    assert [(one.name, one.cause) for one in checks] == [("CRL", Cause.PROFILE)]
    assert f"127.0.0.1:{target.world.igc}" in checks[0].message


def test_an_address_that_others_know_differently(tmp_path: Path) -> None:
    """Behind a translation of addresses, or in a container."""
    target = read(written_profile(tmp_path, address="0.0.0.0", announce="127.0.0.1"))
    with standing(target, tmp_path / "banc", 1, ignore) as bed:
        hand_over(bed, tmp_path / "banc")
        first, *others = examine_world(bed, lambda host: set())
        listening = bed.simulators.pacs
        assert listening is not None
        assert (listening.config.host, bed.pacs.host) == ("0.0.0.0", "127.0.0.1")
        # The healthy Source that a box calls is a process of the bench's own.
        counterpart = bed.fixed_names()[bed.site.names.counterpart]
    assert counterpart == f"127.0.0.1:{target.world.counterpart}"
    assert (first.name, first.state.value) == ("adresse du banc", "warn")
    assert {one.state.value for one in others} == {"good"}, others
    assert "0.0.0.0" not in (tmp_path / "banc/flux.csv").read_text()


@pytest.mark.parametrize(
    ("address", "exposed"),
    [
        ("127.0.0.1", False), ("127.0.0.2", False), ("::1", False), ("localhost", False),
        ("0:0:0:0:0:0:0:1", False), ("192.0.2.7", True), ("2001:db8::7", True),
        ("banc.site", True),
    ],
)  # fmt: skip
def test_who_may_come_is_said(address: str, exposed: bool) -> None:
    assert ("réseau d'essai" in World(address=address).exposure) == exposed


@pytest.mark.parametrize(
    ("world", "told"),
    [
        ('address = "0.0.0.0"', "world.announce .* attendue .*0.0.0.0"),
        ('address = "::"', "world.announce .* attendue .*::"),
        ('address = "127.0.0.1:80"', "world.address.*127.0.0.1:80"),
        ('address = "[::1]"', "world.address.*::1"),
        ('address = ""', "world.address"),
        ('announce = "https://banc"', "world.announce.*https://banc"),
        ('address = "banc.site"\ndns = 53', "world.announce .* adresse IP .*banc.site"),
    ],
)
def test_an_address_that_is_none(world: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(f"[world]\n{world}\n")
    with pytest.raises(ProfileError, match=told):
        read(file)
