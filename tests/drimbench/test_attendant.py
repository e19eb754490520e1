"""The person at the terminal: a countdown that Enter ends, a decision with its files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.operator import Request, Word
from drimbench import attendant
from drimbench.attendant import Attendant
from drimbench.progress import Live

REQUEST = Request(identifier="geste", title="Un titre", text="appuyer sur le bouton")


def at(terminal: bool, *, present: bool = True) -> tuple[Attendant, io.StringIO]:
    screen = io.StringIO()
    console = Console(file=screen, width=120, force_terminal=terminal, no_color=True)
    return Attendant(Live(console), console, present=present), screen


def test_a_decision_with_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    proof = tmp_path / "un écran.png"
    proof.write_bytes(b"\x89PNG")
    lines = ["n", "", "A. Martin", "", "rien ne s'affiche", "absent.png", f"'{proof}'", "o", "", ""]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    there, screen = at(False)
    refused = Word(conform=False, by="A. Martin", comment="rien ne s'affiche", files=(proof,))
    assert there.judge(REQUEST) == refused
    assert "Conforme ? [o]ui, [n]on, [p]lus tard (p): " in screen.getvalue()
    assert "Une non-conformité se motive" in screen.getvalue()
    assert "illisible, vide ou trop gros : absent.png" in screen.getvalue()
    assert there.judge(REQUEST) == Word(conform=True, by="A. Martin")  # the name is remembered
    assert there.judge(REQUEST) is None  # nobody answers any more


def test_lines_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendant, "_enter", lambda: pytest.fail("nobody is there"))
    there, screen = at(False, present=False)
    for left in (90.0, 89.0, 61.0, 60.0, 59.0, 31.0, 29.0):
        assert not there.waiting(REQUEST, left, gesture=True)
    there.waited(REQUEST, "délai dépassé")
    told = [line for line in screen.getvalue().splitlines() if line.startswith("attente")]
    assert told == [
        "attente « geste » : 1 min 30 s",
        "attente « geste » : 1 min 00 s",
        "attente « geste » : 29 s",
        "attente « geste » : délai dépassé",
    ]
    assert "drimbench proceed geste" in screen.getvalue()


def test_one_line_until_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = iter([True, False, False, True])  # the first was pressed before it was asked
    monkeypatch.setattr(attendant, "_enter", lambda: next(pressed))
    there, screen = at(True)
    assert not there.waiting(REQUEST, 10.0, gesture=True)
    assert there.waiting(REQUEST, 9.0, gesture=True)
    there.waited(REQUEST, "quelqu'un l'a dit ici")
    assert "9 s ; Entrée : c'est fait" in screen.getvalue()
    assert "\r" in screen.getvalue()
    assert "quelqu'un l'a dit ici" in screen.getvalue()
