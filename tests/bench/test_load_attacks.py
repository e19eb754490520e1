"""What is asked of PSC is counted by token: a crowd that is turned away hides nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.load_attacks import LoadAttacks, _Asked
from bench.outcomes import CannotVerify


def judged(asked: _Asked) -> bool:
    told: list[bool] = []

    def expect(what: str, met: bool, **said: Any) -> None:
        told.append(met)

    story = SimpleNamespace(stage=SimpleNamespace(expect=expect))
    attacks = LoadAttacks(
        attacking=SimpleNamespace(imaging=SimpleNamespace(story=story)),  # type: ignore[arg-type]
        asked={"une foule": asked},
    )
    attacks.expect_psc_spared()
    (met,) = told
    return met


@pytest.mark.parametrize(
    ("requests", "introspections", "shown", "of_one", "spared"),
    [
        (200, 200, 200, 200, True),
        (200, 201, 200, 201, False),
        (200, 200, 1, 1, True),
        # Half of them were turned away, the others cost two introspections each.
        (200, 110, 1, 2, False),
        (200, 0, 1, 0, True),
    ],
)
def test_no_token_is_asked_about_more_often_than_it_was_shown(
    requests: int, introspections: int, shown: int, of_one: int, spared: bool
) -> None:
    asked = _Asked(requests=requests, introspections=introspections, shown=shown, of_one=of_one)
    assert judged(asked) is spared


def test_no_crowd_proves_nothing() -> None:
    with pytest.raises(CannotVerify):
        LoadAttacks(attacking=SimpleNamespace()).expect_psc_spared()  # type: ignore[arg-type]
