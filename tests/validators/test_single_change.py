"""Single-change mutation: an artefact altered in one field is noticed, or its survivor is listed.

Every field of the good example of each kind is left out, emptied, replaced or doubled, one at a
time. An alteration is caught when a rule speaks (an error or a warning) that was silent on the
good example. Of the alterations that break a text graded `standard`, `faq` or `sample`, at least
95 % are caught. What nobody notices is in `survivors.toml`, with its reason: `libre` when no text
is broken, `manqué` when one is and no rule says so.

Rules that fire on any change of the bytes that they protect (a signature, a hash) prove nothing
about a field: the list names them, and they do not count there.
`python -m tests.alterations` prints the figures of each kind.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.alterations.proof import ELSEWHERE, LIST, tally, tally_of
from validators.api import KINDS

BAR = 0.95
FEW = 40
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in LIST])
def test_every_survivor_is_listed_and_few_break_a_text(kind: str) -> None:
    done = tally(kind)
    assert done.caught > 1
    assert not done.unlisted, "survivants absents de survivors.toml :\n" + "\n".join(done.unlisted)
    assert not done.unused, "lignes de survivors.toml sans survivant : " + "; ".join(done.unused)
    # Of a kind with a few strong fields, one more or less is five percent.
    few = done.caught + done.missed < FEW and done.missed <= 2
    assert few or done.ratio >= BAR, f"{kind} : {done.caught} vues, {done.missed} manquées"


def test_every_kind_is_proven_here_or_elsewhere() -> None:
    assert set(LIST) | set(ELSEWHERE) == set(KINDS)
    assert not set(LIST) & set(ELSEWHERE)


def test_the_list_gives_reasons_and_names_known_rules() -> None:
    for kind, listed in LIST.items():
        for row in listed.rows:
            assert row.reason, f"{kind} : {row.text}"
        for protected in listed.integrity:
            assert protected.rules <= set(KINDS[kind].rules.rules)


def test_a_blind_judge_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: without its rules, nothing is caught."""
    kind = KINDS["ack"]
    monkeypatch.setattr(kind.rules, "rules", {kind.rules.syntax.id: kind.rules.syntax})
    done = tally_of("ack", LIST["ack"])
    assert len(done.unlisted) > 20


def test_the_figures_are_printed() -> None:
    command = [sys.executable, "-m", "tests.alterations", "mllp", "examen"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *_, mllp, exam = done.stdout.splitlines()
    assert mllp.split(" | ")[:3] == ["| `mllp`", str(tally("mllp").caught), "0"]
    assert ELSEWHERE["examen"] in exam
