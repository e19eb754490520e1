"""`drimbench pacs-speed`: what a PACS gives, how fast, and why nothing could be measured."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from drimbench.cli import app
from drimbench.ending import Finished
from drimbox_ref.source.pacs_speed import Speed, SpeedError, measure
from simulators.pacs import Pacs, PacsConfig
from tests.drimbox_ref.source.bed import image
from wire.dimse import DimsePeer
from wire.exchange import ignore

_STUDY = "1.2.250.1.999.77"


class Site:
    """A PACS that knows us, and one that does not answer."""

    def __init__(self) -> None:
        self.pacs = Pacs(PacsConfig(ae_title="KITPACS"), ignore).start()
        for number in (1, 2, 3):
            self.pacs.load(image(_STUDY, 1, number))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.pacs.add_destination("VITESSE", "127.0.0.1", self.port, "mesure")
        self.peer = DimsePeer("127.0.0.1", self.pacs.port, "KITPACS")

    def measure(self, study: str = _STUDY, peer: DimsePeer | None = None) -> Speed:
        return measure(
            peer or self.peer,
            ae_title="VITESSE",
            host="127.0.0.1",
            port=self.port,
            study=study,
            times=2,
            timeout_s=5,
        )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.pacs.stop()


def test_each_retrieval_is_whole(site: Site) -> None:
    speed = site.measure()
    assert len(speed.retrievals) == 2
    for one in speed.retrievals:
        assert one.count == 3
        assert 0 < one.first_s <= one.whole_s
        assert one.size > 3 * 128
        assert one.megabits_s == pytest.approx(one.size * 8 / 1e6 / one.whole_s)


def test_what_cannot_be_measured_is_told(site: Site) -> None:
    with pytest.raises(SpeedError, match=r"n'a pas l'examen 1\.2\.9"):
        site.measure("1.2.9")
    with pytest.raises(SpeedError, match="PACS RIEN en 127"):
        site.measure(peer=DimsePeer("127.0.0.1", 1, "RIEN"))
    with (
        socket.create_server(("127.0.0.1", site.port)),
        pytest.raises(SpeedError, match="hors production"),
    ):
        site.measure()


def test_what_the_pacs_makes_for_us_is_seen(site: Site) -> None:
    speed = site.measure()
    came = set(speed.retrievals[0].syntaxes)
    assert Speed(retrievals=speed.retrievals, stored=frozenset(came)).transcoded == set()
    assert Speed(retrievals=speed.retrievals, stored=frozenset()).transcoded == set()
    other = frozenset({"1.2.840.10008.1.2.4.70"})
    assert Speed(retrievals=speed.retrievals, stored=other).transcoded == came


def test_the_command_prints_figures(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["pacs-speed", f"KITPACS@127.0.0.1:{site.peer.port}", "--study", _STUDY]
    words += ["--aet", "VITESSE", "--listen", f"127.0.0.1:{site.port}", "--times", "2"]
    app([*words, "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert [one["instances"] for one in document["retrievals"]] == [3, 3]
    assert document["first_image_s"] > 0
    app(words, standalone_mode=False)
    assert "Mbit/s (médianes)" in capsys.readouterr().out


@pytest.mark.parametrize("pacs", ["KITPACS", "KITPACS@hote", "@127.0.0.1:104", "P@h:99999"])
def test_an_address_that_is_none_is_refused(pacs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Finished):
        app(["pacs-speed", pacs, "--study", "1.2"], standalone_mode=False)
    assert pacs in capsys.readouterr().err
