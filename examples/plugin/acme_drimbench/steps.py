"""Steps of our own, beside those of the bench."""

from __future__ import annotations

from drimbench.api import Stage, parsers, then


@then(
    parsers.re(r"la publication ne prend pas plus de (?P<most>\d+) échanges avec le DMP"),
    converters={"most": int},
)
def few_exchanges(stage: Stage, most: int) -> None:
    """What the DMP was asked in this scenario: `stage.expect` records the assertion."""
    seen = stage.seen("ITI-41", "ITI-18")
    stage.expect(
        f"au plus {most} échanges avec le DMP",
        len(seen) <= most,
        expected=f"{most} au plus",
        actual=str(len(seen)),
        exchanges=(one.id for one in seen),
    )
