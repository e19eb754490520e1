"""What the Consumer asks the DMP and Pro Santé Connect when a radiologist consults."""

from __future__ import annotations

import json

from bench.consulting import Consulting
from bench.feed import Seen
from bench.outcomes import CannotVerify
from bench.story import Story
from bench.submissions import names, package
from protocols import saml, soap
from protocols.errors import RemoteProtocolError
from simulators.psc import TEST_PROFESSIONALS
from spec.vihf import AttributeName, AuthenticationMode
from wire.exchange import Direction

__all__ = ["Consulted", "by_consumer"]


class Consulted:
    """What passed on the wires of the national services since the scenario began."""

    def __init__(self, consulting: Consulting) -> None:
        self._consulting = consulting

    def expect_existence_first(self) -> None:
        """TD0.2 comes before any TD3.1."""
        stage = self._story.stage
        stage.await_exchanges("TD0.2", "la Consommatrice vérifie l'accès au DMP")
        order = [seen.exchange.transaction for seen in by_consumer(self._story, "TD0.2", "ITI-18")]
        stage.expect(
            "la vérification d'accès précède la recherche",
            bool(order) and order[0] == "TD0.2",
            expected="TD0.2 puis ITI-18",
            actual=", ".join(order) or "rien",
        )

    def expect_air(self) -> None:
        """The search carries a VIHF in AIR mode, for the radiologist who logged in."""
        stage, site = self._story.stage, self._story.bed.site
        found = stage.await_exchanges(
            "ITI-18",
            "la Consommatrice cherche dans le DMP",
            where=lambda seen: seen.exchange.detail == "TD3.1a",
        )
        stage.await_exchanges("ITI-43", "la Consommatrice lit le KOS dans le DMP")
        vihf = _vihf(found[-1])
        wanted = (AuthenticationMode.INDIRECTE_RENFORCEE, site.reader, site.reader_structure)
        said = _says(vihf) if vihf else ("aucun VIHF lisible",)
        stage.expect(
            "le VIHF est en mode AIR, au nom du professionnel",
            said == wanted,
            expected=", ".join(wanted),
            actual=", ".join(said),
            exchanges=[found[-1].id],
        )

    def expect_searched(self) -> None:
        """The DMP was searched for this patient since the RIS called."""
        assert self._story.patient.ins is not None
        ins = self._story.patient.ins.value
        self._story.stage.await_exchanges(
            "ITI-18",
            "la Consommatrice cherche les documents de ce patient",
            where=lambda seen: seen.exchange.detail == "TD3.1a" and names(seen.exchange, ins),
            since=self._consulting.called,
        )

    def expect_exam_found(self) -> None:
        """A search for this patient since the RIS called was answered with the exam: a page may
        show as many exams, and those of another."""
        assert self._story.patient.ins is not None
        ins, study = self._story.patient.ins.value, self._story.exams[0].study_uid.encode()
        self._story.stage.await_exchanges(
            "ITI-18",
            "le DMP rend l'examen à la Consommatrice qui cherche pour ce patient",
            where=lambda seen: names(seen.exchange, ins) and study in _received(seen),
            since=self._consulting.called,
        )

    def expect_userinfo_told(self) -> None:
        """The VIHF says of the radiologist what userinfo says."""
        reader = self._story.bed.site.reader
        practice = next(one for one in TEST_PROFESSIONALS if one.id == reader).practices[0]
        wanted = (practice.profession, practice.skill, practice.activities[0].sector)
        found = by_consumer(self._story, "TD0.2", "ITI-18", "ITI-43")
        if not found:
            raise CannotVerify("la Consommatrice n'a rien demandé au DMP")
        said = {_practice(vihf) for seen in found if (vihf := _vihf(seen)) is not None}
        self._story.stage.expect(
            "le VIHF reprend la profession, le savoir-faire et le secteur que donne UserInfo",
            said == {wanted},
            expected=", ".join(wanted),
            actual=" ; ".join(", ".join(one) for one in sorted(said)) or "aucun VIHF lisible",
            exchanges=[seen.id for seen in found],
        )

    def expect_no_consultation(self) -> None:
        """Neither search nor retrieval in the DMP. The page that explains is the sentinel."""
        found = by_consumer(self._story, "ITI-18", "ITI-43")
        self._story.stage.expect(
            "aucun document n'est cherché ni lu dans le DMP",
            not found,
            expected="ni ITI-18 ni ITI-43",
            actual=", ".join(seen.exchange.transaction for seen in found) or "rien",
            exchanges=[seen.id for seen in found],
        )

    def expect_no_dmp(self) -> None:
        """Nothing at all asked of the DMP."""
        found = by_consumer(self._story, "TD0.2", "ITI-18", "ITI-43")
        self._story.stage.expect(
            "le DMP n'est pas consulté",
            not found,
            expected="aucun échange avec le DMP",
            actual=", ".join(seen.exchange.transaction for seen in found) or "rien",
            exchanges=[seen.id for seen in found],
        )

    def expect_refreshed(self) -> None:
        """The token was renewed before images were asked for."""
        self._story.stage.await_exchanges("PSC-refresh", "la Consommatrice renouvelle le jeton")
        order = [
            seen.exchange.transaction
            for seen in self._story.stage.seen("PSC-refresh", "WADO-RS")
            if seen.exchange.transaction == "PSC-refresh" or seen.exchange.direction is Direction.IN
        ]
        self._story.stage.expect(
            "le renouvellement précède la demande d'images",
            "PSC-refresh" in order and order[0] == "PSC-refresh",
            expected="PSC-refresh puis WADO-RS",
            actual=", ".join(order),
        )

    def expect_token_kept(self) -> None:
        """No token that the Consumer holds appears in what the browser received."""
        leaked = [
            seen.id
            for seen in self._story.stage.seen("consumer-page", "appel-contextuel", "PSC-login")
            if any(token.encode() in _received(seen) for token in self._access_tokens())
        ]
        self._story.stage.expect(
            "le jeton n'atteint jamais le navigateur",
            bool(self._access_tokens()) and not leaked,
            expected="aucune page, aucun cookie, aucune adresse ne porte un jeton",
            actual=f"{len(leaked)} réponse(s) portent un jeton",
            exchanges=leaked,
        )

    # -- reading -----------------------------------------------------------------------------

    def _access_tokens(self) -> list[str]:
        """The tokens that PSC answered in this scenario."""
        found: list[str] = []
        for seen in self._story.stage.seen("PSC-token", "PSC-CIBA-poll", "PSC-refresh"):
            response = seen.exchange.response
            if response is None:
                continue
            try:
                answer = json.loads(response.body)
            except ValueError:
                continue
            found += [
                answer[name]
                for name in ("access_token", "refresh_token", "id_token")
                if isinstance(answer.get(name), str)
            ]
        return found

    @property
    def _story(self) -> Story:
        return self._consulting.story


def _says(vihf: saml.Assertion) -> tuple[str, ...]:
    """Mode, professional, structure."""
    return (
        vihf.text(AttributeName.AUTHENTIFICATION_MODE),
        vihf.name_id,
        vihf.text(AttributeName.IDENTIFIANT_STRUCTURE),
    )


def _practice(vihf: saml.Assertion) -> tuple[str, str, str]:
    """Profession, know-how, sector: the codes alone."""
    roles = [role.code for role in vihf.codes(AttributeName.ROLE)]
    profession, skill = (*roles, "", "")[:2]
    return profession, skill, vihf.text(AttributeName.SECTEUR_ACTIVITE).partition("^")[0]


def _received(seen: Seen) -> bytes:
    response = seen.exchange.response
    if response is None:
        return b""
    return response.body + "\n".join(value for _, value in response.head).encode()


def by_consumer(story: Story, *transactions: str) -> list[Seen]:
    """DMP exchanges of this scenario whose VIHF is in AIR mode: the publishing Source's,
    in plain indirect mode, are left out."""
    return [
        seen
        for seen in story.stage.seen(*transactions)
        if (vihf := _vihf(seen)) is None
        or vihf.text(AttributeName.AUTHENTIFICATION_MODE) != AuthenticationMode.INDIRECTE
    ]


def _vihf(seen: Seen) -> saml.Assertion | None:
    request = package(seen.exchange.request)
    if request is None:
        return None
    try:
        security = soap.parse(request.envelope).security
        return saml.parse(security) if security is not None else None
    except RemoteProtocolError:
        return None
