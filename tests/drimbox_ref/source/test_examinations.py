"""Which PACS the Source asks for a study: that of the accession authority, whoever is down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drimbox_ref.config import ConfigError, Table
from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.config import Pacs, _every_pacs
from drimbox_ref.source.examinations import DimseExaminations
from drimbox_ref.source.matcher import CoherenceMatcher
from drimbox_ref.source.reports import CisisReports
from drimbox_ref.source.values import Mismatch, Order, ReportOrder
from simulators import pacs as simulated
from tests.drimbox_ref.source.bed import image
from tests.drimbox_ref.source.world import IPP, found_study, oru
from wire.exchange import Exchange

ONE, TWO, OTHER = "1.2.250.1.999.8.1", "1.2.250.1.999.8.2", "1.2.250.1.999.8.9"
STUDY = "1.2.250.1.999.1.77"


def order(accession: str, issuer: str) -> Order:
    return Order(placer="OPN", placer_oid="1.2", accession=accession, accession_oid=issuer)


class Site:
    """Three PACS: GENERAL serves whom nobody names, the two others have an authority each."""

    def __init__(self, stack: ExitStack) -> None:
        self.asked: list[str] = []
        self.clock = 0.0
        self.pacs = {
            title: stack.enter_context(
                simulated.build(
                    simulated.PacsConfig(ae_title=title, actor=title), self._observer(title)
                )
            )
            for title in ("GENERAL", "CARDIO", "SEIN")
        }
        issuers = {"GENERAL": (), "CARDIO": (ONE,), "SEIN": (TWO,)}
        self.configured = tuple(
            Pacs(ae_title=title, host="127.0.0.1", port=one.port, accession_issuers=issuers[title])
            for title, one in self.pacs.items()
        )
        self.find = DimseExaminations(
            self.configured,
            ae_title="DRIMBOX",
            level="relational",
            timeout_s=0.3,
            backoff=Backoff(5, 60),
            monotonic=lambda: self.clock,
        ).find

    def _observer(self, title: str) -> Callable[[Exchange], None]:
        def observe(exchange: Exchange) -> None:
            if exchange.transaction == "C-FIND":
                self.asked.append(title)

        return observe

    def hold(self, title: str, accession: str, *, instances: int = 2) -> None:
        for number in range(1, instances + 1):
            self.pacs[title].load(image(STUDY, 1, number, accession=accession))


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack)


@pytest.mark.parametrize(
    ("issuer", "title"), [(ONE, "CARDIO"), (TWO, "SEIN"), (OTHER, "GENERAL"), ("", "GENERAL")]
)
def test_only_the_pacs_of_the_authority_is_asked(site: Site, issuer: str, title: str) -> None:
    for one in site.pacs:
        site.hold(one, "A1")
    study = site.find(STUDY, [order("A1", issuer)])
    assert study is not None
    assert (study.pacs, site.asked) == (title, [title])


def test_without_any_order_the_general_one_is_asked(site: Site) -> None:
    assert site.find(STUDY, []) is None
    assert site.asked == ["GENERAL"]


def test_of_two_that_hold_it_the_one_whose_number_it_bears(site: Site) -> None:
    site.hold("CARDIO", "A2", instances=1)  # a copy that kept the number of the other department
    site.hold("SEIN", "A2", instances=3)
    study = site.find(STUDY, [order("A1", ONE), order("A2", TWO)])
    assert study is not None
    assert study.pacs == "SEIN"
    assert len(study.series[0].instances) == 3


def test_a_stray_number_is_left_for_the_comparison(site: Site) -> None:
    site.hold("CARDIO", "X")
    study = site.find(STUDY, [order("A1", ONE)])
    assert study is not None
    assert study.accessions == ("X",)


def test_a_stray_copy_does_not_stand_for_the_pacs_that_is_down(site: Site) -> None:
    site.hold("CARDIO", "A2", instances=1)
    site.pacs["SEIN"].stop()
    with pytest.raises(PeerUnavailable, match="SEIN"):
        site.find(STUDY, [order("A1", ONE), order("A2", TWO)])


def test_a_silent_pacs_is_left_alone_longer_each_time(site: Site) -> None:
    site.pacs["SEIN"].faults.set("retard", "C-FIND", secondes=60)
    wanted = [order("A2", TWO)]
    for pause in (5, 10, 20):
        with pytest.raises(PeerUnavailable, match="timeout"):
            site.find(STUDY, wanted)
        with pytest.raises(PeerUnavailable, match="laissé encore"):
            site.find(STUDY, wanted)
        site.hold("CARDIO", "A1")
        assert site.find(STUDY, [order("A1", ONE)]) is not None, "the others are asked"
        site.clock += pause
    site.pacs["SEIN"].faults.clear()
    site.hold("SEIN", "A2")
    assert site.find(STUDY, wanted) is not None
    site.pacs["SEIN"].stop()
    with pytest.raises(PeerUnavailable, match="refused"):
        site.find(STUDY, wanted)
    site.clock += 5
    site.pacs["SEIN"].start()
    assert site.find(STUDY, wanted) is not None, "what failed before is forgotten"


def test_one_that_answers_by_a_failure_is_asked_again(site: Site) -> None:
    site.pacs["SEIN"].faults.set("statut", "C-FIND", statut=0xA900)
    wanted = [order("A2", TWO)]
    for _ in range(2):
        with pytest.raises(PeerUnavailable, match="A900"):
            site.find(STUDY, wanted)


# The patient's domains ------------------------------------------------------------------------

DOMAIN, ELSEWHERE = "1.2.250.1.999.3", "1.2.250.1.999.4"


def told(*others: tuple[str, str]) -> ReportOrder:
    """A report whose PID-3 has the usual IPP, then others."""
    more = "".join(f"~{value}^^^B&{oid}&ISO^PI" for value, oid in others)
    usual = f"{IPP}^^^RIS&{DOMAIN}&ISO^PI"
    message = oru()
    assert usual.encode() in message
    read = CisisReports(without_dmp="stop").read(
        message.replace(usual.encode(), (usual + more).encode())
    )
    assert isinstance(read, ReportOrder)
    return read


@pytest.mark.parametrize(
    ("domains", "held", "right"),
    [
        ((), IPP, True),
        ((), "IPP-B", True),
        ((), "IPP-C", False),
        ((DOMAIN,), IPP, True),
        ((DOMAIN,), "IPP-B", False),
        ((ELSEWHERE,), "IPP-B", True),
        ((ELSEWHERE,), IPP, False),
        (("1.2.3",), IPP, False),
    ],
)
def test_the_ipp_is_that_of_the_domain_of_the_pacs(
    domains: tuple[str, ...], held: str, right: bool
) -> None:
    study = replace(found_study(), patient_ids=(held,), patient_domains=domains)
    found = CoherenceMatcher().match(told(("IPP-B", ELSEWHERE)), study)
    assert isinstance(found, Mismatch) is not right


def test_two_pacs_of_one_title_are_refused(tmp_path: Path) -> None:
    same: dict[str, Any] = {"ae_title": "PACS", "host": "h", "port": 104}
    with pytest.raises(ConfigError) as caught:
        _every_pacs(Table(tmp_path / "source.toml", "", {"pacs": [same, same]}))
    assert caught.value.key == "pacs[1].ae_title"
