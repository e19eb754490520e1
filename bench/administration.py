"""A box's local administration pages: alerts, audit trail, archive, outbox.

They are optional: without an address a person is asked, or a review.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from bench.attending import ask, instruct
from bench.deadline import until
from bench.outcomes import CannotVerify
from bench.stage import Stage

__all__ = ["Administration", "Row"]

Row = Mapping[str, object]

_IN_CLEAR = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""It trusts nobody: the pages are in clear, and reading the machine's authorities again for each
request was a quarter of what a campaign computes."""


_GESTURE_S = 60.0
"""Seconds for a box to do what it is asked at once: how long it takes is nothing that is judged."""


@dataclass(frozen=True, slots=True)
class Administration:
    """The pages of one box, and the scenario that looks at them."""

    address: str
    stage: Stage

    def rows(self, page: str, *, state: str = "") -> list[Row]:
        """What a page says now; nothing when it does not answer. `state` as for `look`."""
        return self.look(page, state=state) or []

    def answered(self, page: str, *, state: str = "") -> list[Row]:
        """What a page says now, where nothing said is a proof. `state` as for `look`.

        Raises:
            CannotVerify: it does not answer.
        """
        rows = self.look(page, state=state)
        if rows is None:
            raise CannotVerify(f"la page d'administration {self.address} ({page}) ne répond pas")
        return rows

    def look(self, page: str, *, state: str = "") -> list[Row] | None:
        """What a page says now; None when it does not answer, or answers something else.

        `state` asks for the entries in that state: who does not know how to choose them answers
        with all, and they are chosen here.
        """
        try:
            answer = httpx.get(
                f"http://{self.address}/admin/{page}",
                params={"state": state} if state else None,
                timeout=5.0,
                trust_env=False,
                verify=_IN_CLEAR,
            )
            answer.raise_for_status()
            rows = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return None
        return [row for row in rows if row.get("state") == state] if state else rows

    def text(self, page: str) -> tuple[str, str]:
        """Content type and text of a page, as it leaves.

        Raises:
            CannotVerify: it does not answer.
        """
        try:
            answer = httpx.get(
                f"http://{self.address}/admin/{page}",
                params={"limit": "10000"},
                timeout=5.0,
                trust_env=False,
                verify=_IN_CLEAR,
            )
        except httpx.HTTPError as error:
            raise CannotVerify(f"la page {page} ne répond pas : {error}") from error
        return answer.headers.get("content-type", ""), answer.text

    def act(self, name: str, gesture: str) -> None:
        """Have the box do something at once; a person does where its pages cannot.

        Raises:
            CannotVerify: neither did.
        """
        if self.address:
            try:
                answer = httpx.post(
                    f"http://{self.address}/admin/{name}",
                    timeout=_GESTURE_S,
                    trust_env=False,
                    verify=_IN_CLEAR,
                )
                if answer.is_success:
                    return
            except httpx.HTTPError:
                pass
        instruct(self.stage, gesture)

    def expect(
        self, page: str, what: str, matches: Callable[[Row], bool], *, expected: str
    ) -> None:
        """A matching record comes before the deadline; without such a page, a person looks.

        Raises:
            NotMet: it did not come.
        """
        if not self.address:
            why = "à vérifier par une personne (profil sans adresse admin)"
            ask(self.stage, f"{what}, {expected} : {why}")
            return
        found = until(
            lambda: any(matches(row) for row in self.rows(page)),
            deadline_s=self.stage.profile.timing.effect_s,
        )
        rows = self.look(page)
        none = (
            "la page d'administration ne répond pas"
            if rows is None
            else f"{len(rows)} enregistrement(s), aucun ne convient"
        )
        self.stage.expect(
            what,
            found,
            expected=expected,
            actual="trouvé" if found else none,
        )
