"""L'identité du radiologue : jetons échangés, sessions que Pro Santé Connect termine."""

from __future__ import annotations

import pytest
from pytest_bdd import given, then, when

from bench.consulting import Consulting
from bench.identifying import Identifying


@pytest.fixture
def identifying(consulting: Consulting) -> Identifying:
    """Pro Santé Connect and the DMP's authorization server, around the Consumer."""
    return Identifying(consulting)


@given("un serveur d'autorisation du DMP qui refuse les échanges de jeton")
def refusing(identifying: Identifying, request: pytest.FixtureRequest) -> None:
    """Until the scenario ends."""
    request.addfinalizer(identifying.accept_exchanges)
    identifying.refuse_exchanges()


@when("Pro Santé Connect annonce la fin de la session du radiologue")
def over(identifying: Identifying) -> None:
    """By the back channel; the radiologist's browser then asks for the page again."""
    identifying.end_session()


@then("la Consommatrice échange une fois le jeton du radiologue contre un jeton de l'API du DMP")
def exchanged(identifying: Identifying) -> None:
    """RFC 8693, and no more than once for one login."""
    identifying.expect_exchanged()


@then("chaque demande au DMP porte ce jeton")
def borne(identifying: Identifying) -> None:
    """Authorization: Bearer, beside the VIHF."""
    identifying.expect_borne()


@then("la Consommatrice prend acte de la fin de la session")
def told(identifying: Identifying) -> None:
    """HTTP 200 or 204 to the logout token."""
    identifying.expect_told()
