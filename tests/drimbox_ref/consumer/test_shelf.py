"""The shelf of the viewer: one opening for many requests, nothing kept without bound."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.shelf import Shelf
from drimbox_ref.consumer.values import Call, Exam, ExportFailed, Failure, Received, Series, Use
from tests.drimbox_ref.consumer.world import World


class Opened:
    """A series that is whole."""

    total = 0
    ended = True

    def __init__(self, series: Series) -> None:
        self.series = series
        self.failure: ExportFailed | None = None
        self.closed = 0

    @property
    def received(self) -> Sequence[Received]:
        return ()

    async def changed(self, seen: int) -> None:
        return

    def close(self) -> None:
        self.closed += 1


class Books:
    """A library that remembers what it opened."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []

    def open(self, call: Call, login: Login, exam: Exam, series: Series, *, use: Use) -> Opened:
        assert use is Use.VIEW
        self.opened.append(Opened(series))
        return self.opened[-1]


@pytest.fixture
def books() -> Books:
    return Books()


def test_many_requests_are_one_opening(world: World, books: Books) -> None:
    shelf, exam = Shelf(books), world.exam()
    context, login = world.context(), world.login()
    for _ in range(5):
        shelf.open(context, login, exam, exam.series[0]).close()
    assert len(books.opened) == 1
    assert books.opened[0].closed == 0


def test_what_failed_is_opened_again(world: World, books: Books) -> None:
    shelf, exam = Shelf(books), world.exam()
    context, login = world.context(), world.login()
    first = shelf.open(context, login, exam, exam.series[0])
    books.opened[0].failure = ExportFailed(Failure.RETRIEVAL, "coupé")
    shelf.open(context, login, exam, exam.series[0])
    assert [one.closed for one in books.opened] == [0, 0]
    first.close()
    first.close()
    assert [one.closed for one in books.opened] == [1, 0]


def test_the_one_read_longest_ago_leaves(world: World, books: Books) -> None:
    shelf, exam = Shelf(books, places=1), world.exam(series=3)
    context, login = world.context(), world.login()
    for series in exam.series:
        shelf.open(context, login, exam, series).close()
    shelf.open(context, login, exam, exam.series[2])
    assert [one.closed for one in books.opened] == [1, 0, 0]


def test_nothing_stays_of_a_login_that_is_over(world: World, books: Books) -> None:
    shelf, exam = Shelf(books), world.exam()
    context, gone, login = world.context(), world.login(), world.login()
    shelf.open(context, gone, exam, exam.series[0]).close()
    world.parts.sessions.expire(gone)
    shelf.open(context, login, exam, exam.series[0])
    assert [one.closed for one in books.opened] == [1, 0]


def test_another_login_has_an_opening_of_its_own(world: World, books: Books) -> None:
    shelf, exam = Shelf(books), world.exam()
    context = world.context()
    shelf.open(context, world.login(), exam, exam.series[0])
    shelf.open(context, world.login(), exam, exam.series[0])
    assert len(books.opened) == 2
