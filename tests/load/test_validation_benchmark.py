"""The validation benchmark measures what it says, and a manifest is judged fast enough."""

from __future__ import annotations

import pytest

from load.benchmarks import validation
from validators.api import validate
from validators.finding import Severity

pytestmark = pytest.mark.slow


def test_every_pair_is_measured() -> None:
    measures = validation.run(rounds=3)
    names = [one.name for one in measures]
    assert {name.partition(" ")[0] for name in names} == {"KOS", "ORU,", "ITI-41", "croisement"}
    assert all(one.ours > 0 and one.peer > 0 for one in measures)
    for one in measures:
        assert one.kept, f"{one.name} : {one.quiet_ratio:.2f} fois {one.peer_name}"


def test_what_is_measured_is_right() -> None:
    """A refusal at the door would be fast, and mean nothing."""
    for data, kind in ((validation.long_manifest(50), "kos"), (validation.long_report(), "oru")):
        errors = [f for f in validate(data, kind).findings if f.severity is Severity.ERROR]
        assert errors == []
