"""Quand le radiologue consulte, alors la Consommatrice montre et importe, ou explique."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from bench.consulted import Consulted
from bench.consulting import Consulting
from bench.imagery import load_exam
from bench.imported import Imported
from bench.publishing import Publishing
from bench.story import Story


@pytest.fixture
def consulting(story: Story, publishing: Publishing) -> Iterator[Consulting]:
    """The radiologist, the RIS and the local PACS."""
    made = Consulting(story, publishing)
    yield made
    made.leave()


@pytest.fixture
def consulted(consulting: Consulting) -> Consulted:
    """What the DMP and PSC were asked."""
    return Consulted(consulting)


@pytest.fixture
def imported(consulting: Consulting) -> Imported:
    """What Sources were asked, and what the local PACS holds."""
    return Imported(consulting)


@given(
    parsers.re(r"un examen CT de (?P<series>\d+) séries? publié par une autre DRIMbox"),
    converters={"series": int},
)
def published_elsewhere(consulting: Consulting, series: int) -> None:
    """By a Source that is right in everything."""
    story = consulting.story
    exam = story.plan("CT", series)
    load_exam(story.archive, exam, story.patient)
    consulting.publish_elsewhere(exam)


@given("un examen CT de 1 série publié par une DRIMbox absente de la liste blanche")
def published_by_stranger(consulting: Consulting) -> None:
    """Its KOS is in the DMP, its host is not on the list."""
    bed = consulting.story.bed
    exam = consulting.story.plan("CT")
    consulting.preload(exam, bed.site.names.stranger, bed.stranger, wrong_ins=False)


@given("un examen CT de 1 série publié par une DRIMbox qui se trompe d'INS")
def published_with_wrong_ins(consulting: Consulting) -> None:
    """The images carry another patient's INS."""
    bed = consulting.story.bed
    exam = consulting.story.plan("CT")
    consulting.preload(exam, bed.site.names.neighbour, bed.neighbour, wrong_ins=True)


@given(parsers.re(r"des jetons d'accès de (?P<seconds>\d+) secondes"), converters={"seconds": int})
def short_tokens(consulting: Consulting, request: pytest.FixtureRequest, seconds: int) -> None:
    """From now on, until the scenario ends."""
    lifetimes = consulting.story.bed.psc.lifetimes
    usual = lifetimes.access
    request.addfinalizer(lambda: setattr(lifetimes, "access", usual))
    lifetimes.access = seconds


@given("le radiologue authentifié sur la page du patient")
def on_the_page(consulting: Consulting) -> None:
    """Call and login, without judging them."""
    consulting.open_page()


@given("un autre patient, qui a un examen, consulté juste avant par le radiologue")
def another_before(consulting: Consulting) -> None:
    """In the browser that serves next."""
    consulting.consult_another()


@when("le RIS appelle la Consommatrice pour ce patient")
def call(consulting: Consulting) -> None:
    """POST /drim."""
    consulting.call()


@when(
    parsers.re(
        r"le RIS appelle la Consommatrice pour ce patient avec le consentement « (?P<value>\w+) »"
    )
)
def call_with_consent(consulting: Consulting, value: str) -> None:
    """InformationEtConsentement."""
    consulting.call(consent=value)


@when(parsers.re(r"le RIS appelle la Consommatrice sans le paramètre « (?P<name>[\w.]+) »"))
def call_without(consulting: Consulting, name: str) -> None:
    """One mandatory parameter left out."""
    consulting.call(without=name)


@when("le RIS appelle la Consommatrice pour ce patient dans la même session")
def call_again(consulting: Consulting) -> None:
    """The browser keeps its cookies."""
    consulting.call_again()


@when("l'adresse de la page est ouverte dans un autre navigateur")
def open_elsewhere(consulting: Consulting) -> None:
    """Without its cookies."""
    consulting.open_elsewhere()


@when("le radiologue s'authentifie avec Pro Santé Connect")
def login(consulting: Consulting) -> None:
    """On PSC's own page."""
    consulting.login()


@when("le radiologue demande l'export de l'examen")
def export(consulting: Consulting) -> None:
    """And waits for its end."""
    consulting.export()


@then("la Consommatrice vérifie l'accès au DMP avant de le consulter")
def existence_first(consulted: Consulted) -> None:
    """TD0.2 before TD3.1."""
    consulted.expect_existence_first()


@then("la Consommatrice trouve l'examen dans le DMP en mode AIR")
def air(consulted: Consulted) -> None:
    """VIHF of TD3.1, then TD3.2."""
    consulted.expect_air()


@then("le VIHF reprend ce que Pro Santé Connect dit du radiologue")
def userinfo_told(consulted: Consulted) -> None:
    """Profession, know-how, sector."""
    consulted.expect_userinfo_told()


@then("la Consommatrice cherche dans le DMP les documents de ce patient")
def searched(consulted: Consulted) -> None:
    """TD3.1 since the call."""
    consulted.expect_searched()


@then("le DMP lui rend l'examen")
def found(consulted: Consulted) -> None:
    """TD3.1 since the call, of which the exam is a result."""
    consulted.expect_exam_found()


@then("rien n'est montré sans authentification")
def nothing_shown(consulting: Consulting) -> None:
    """Neither patient nor exam."""
    consulting.expect_nothing_without_login()


@then("la page présente l'examen")
def shown(consulting: Consulting) -> None:
    """With a way to export it."""
    consulting.expect_exam_shown()


@then("toutes les images de l'examen arrivent dans le PACS local")
def exported(imported: Imported) -> None:
    """C-STORE."""
    imported.expect_exported()


@then("elles y portent l'IPP local du patient")
def local_ipp(imported: Imported) -> None:
    """PatientID of the call."""
    imported.expect_local_ipp()


@then("rien d'autre n'y est modifié")
def unaltered_export(imported: Imported) -> None:
    """Element by element against the PACS of origin."""
    imported.expect_unaltered()


@then("la Consommatrice a demandé chaque série par WADO-RS avec le jeton et l'identifiant du KOS")
def wado_requests(imported: Imported) -> None:
    """Headers of each request."""
    imported.expect_wado_requests()


@then("le jeton n'a jamais atteint le navigateur")
def token_kept(consulted: Consulted) -> None:
    """Pages, cookies, addresses."""
    consulted.expect_token_kept()


@then("la Consommatrice renouvelle le jeton avant de demander les images")
def refreshed(consulted: Consulted) -> None:
    """A refresh before the first WADO-RS."""
    consulted.expect_refreshed()


@then("la page dit pourquoi rien n'est montré")
def explained(consulting: Consulting) -> None:
    """A message, no exam."""
    consulting.expect_explained()


@then("le DMP n'est pas consulté")
def no_dmp(consulted: Consulted) -> None:
    """Nothing asked of it."""
    consulted.expect_no_dmp()


@then("aucun document n'est cherché dans le DMP")
def no_search(consulted: Consulted) -> None:
    """Neither search nor retrieval."""
    consulted.expect_no_consultation()


@then(parsers.re(r"l'appel est refusé et le paramètre « (?P<name>[\w.]+) » est nommé"))
def call_refused(consulting: Consulting, name: str) -> None:
    """HTTP 400."""
    consulting.expect_call_refused(name)


@then("la page dit que l'export a échoué")
def export_failed(consulting: Consulting) -> None:
    """And why."""
    consulting.expect_export_failed()


@then("aucun jeton n'est envoyé à cette Source")
def nothing_sent(imported: Imported) -> None:
    """Not even a request."""
    imported.expect_nothing_sent_to("étranger")


@then("aucune image n'arrive dans le PACS local")
def none_exported(imported: Imported) -> None:
    """Nothing of the exam."""
    imported.expect_none_exported()
