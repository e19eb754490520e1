"""What a long command shows of how far it is."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from wire.progress import Progress


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def seen(text: str) -> str:
    """What is left of a terminal's output without its control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_short_work_shows_nothing(clock: Clock) -> None:
    for terminal in (True, False):
        out = StringIO()
        with Progress("pas", 9, console=Console(file=out, force_terminal=terminal), now=clock) as p:
            for _ in range(9):
                clock.now += 0.2
                p.step()
        assert out.getvalue() == ""


def test_a_file_gets_a_plain_line_now_and_then(clock: Clock) -> None:
    out = StringIO()
    console = Console(file=out, width=20)
    with Progress("événements vérifiés", 5000, console=console, now=clock) as progress:
        for _ in range(50):
            clock.now += 1
            progress.to(progress.done + 100)
    assert out.getvalue().splitlines() == [
        "événements vérifiés : 200 sur 5000, encore 48 s environ",
        "événements vérifiés : 1200 sur 5000, encore 38 s environ",
        "événements vérifiés : 2200 sur 5000, encore 28 s environ",
        "événements vérifiés : 3200 sur 5000, encore 18 s environ",
        "événements vérifiés : 4200 sur 5000, encore 8 s environ",
    ]


@pytest.mark.parametrize(
    ("after_s", "total", "line"),
    [
        (3, None, "lots : 1"),
        (3, 0, "lots : 1 sur 0"),
        (3, 100, "lots : 1 sur 100, encore 4 min 57 s environ"),
        (90, 100, "lots : 1 sur 100, encore 2 h 28 min environ"),
    ],
)
def test_what_is_left_is_told_when_it_is_known(
    after_s: int, total: int | None, line: str, clock: Clock
) -> None:
    out = StringIO()
    with Progress("lots", total, console=Console(file=out), now=clock) as progress:
        clock.now += after_s
        progress.step()
    assert out.getvalue() == f"{line}\n"


def test_a_total_may_be_learnt_on_the_way(clock: Clock) -> None:
    out = StringIO()
    with Progress("images [CT]", console=Console(file=out), now=clock) as progress:
        clock.now += 4
        progress.to(2, 4)
    assert out.getvalue() == "images [CT] : 2 sur 4, encore 4 s environ\n"


@pytest.mark.parametrize(("total", "count"), [(40, "10/40"), (None, "10/?")])
def test_a_terminal_gets_a_bar_that_goes_away(total: int | None, count: str, clock: Clock) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80, legacy_windows=False)
    with Progress("KOS [lus]", total, console=console, now=clock) as progress:
        clock.now += 3
        progress.to(9)
        progress.to(10)
    shown = seen(out.getvalue())
    assert "KOS [lus]" in shown
    assert count in shown
    assert out.getvalue().rstrip().endswith("\x1b[2K"), "the line is erased in the end"


def test_an_interruption_gives_the_terminal_back(clock: Clock) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, legacy_windows=False)

    def interrupted() -> None:
        with Progress("pas", 9, console=console, now=clock) as progress:
            clock.now += 3
            progress.step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1


def test_no_color_is_heard(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    def shown() -> str:
        out = StringIO()
        console = Console(file=out, force_terminal=True, color_system="truecolor")
        with Progress("pas", 9, console=console, now=clock) as progress:
            clock.now += 3
            progress.step()
        return out.getvalue()

    colour = re.compile(r"\x1b\[[0-9;]*(3[0-9]|38;[0-9;]+)m")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour.search(shown())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(shown())


def test_a_terminal_that_cannot_erase_gets_lines(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = StringIO()
    with Progress("pas", console=Console(file=out, force_terminal=True), now=clock) as progress:
        clock.now += 3
        progress.step()
    assert out.getvalue() == "pas : 1\n"
