"""Every open point is listed, says what is true, and nothing configurable is left out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import spec
from bench.box_config import _SOURCE_OPTIONS, RETRIEVE
from drimbox_ref.config import Table
from drimbox_ref.consumer import config as consumer
from drimbox_ref.source import config as source
from simulators.dmp.config import DmpOptions
from simulators.psc.realm import Lifetimes
from spec.options import OPTIONS, Option
from spec.vihf import AUTHN_CONTEXTS

BY_NAME = {one.name: one for one in OPTIONS}
ROOT = Path(next(iter(spec.__path__))).parent


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(OPTIONS)


@pytest.mark.parametrize("one", OPTIONS, ids=lambda one: one.name)
def test_what_reads_it_exists(one: Option) -> None:
    assert one.title.endswith("?")
    assert one.source
    assert one.read_by
    for place in one.read_by:
        path, _, name = place.partition(":")
        assert name in (ROOT / path).read_text(encoding="utf-8"), place


@pytest.mark.parametrize("side", [source, consumer])
def test_every_configured_option_is_listed_with_its_default(side: object) -> None:
    built = side._options(Table(Path("x.toml"), "", {}))  # type: ignore[attr-defined]
    for field in fields(built):
        value = getattr(built, field.name)
        told = BY_NAME[field.name].default
        assert told == (("oui" if value else "non") if isinstance(value, bool) else str(value))


def test_every_option_of_the_dmp_is_listed() -> None:
    assert {field.name for field in fields(DmpOptions)} <= BY_NAME.keys()
    assert BY_NAME["max_results"].default == str(DmpOptions().max_results)


def test_lifetimes_are_those_of_the_simulator() -> None:
    lifetimes = Lifetimes()
    assert BY_NAME["access_token_lifetime"].default == str(lifetimes.access)
    assert BY_NAME["refresh_token_lifetime"].default == str(lifetimes.refresh)
    assert BY_NAME["session_lifetime"].default == str(lifetimes.session)
    assert BY_NAME["session_idle"].default == str(lifetimes.idle)
    assert BY_NAME["authorization_code_lifetime"].default == str(lifetimes.code)


def test_a_default_is_one_of_the_choices() -> None:
    for one in OPTIONS:
        if one.setting.startswith(("profil", "configuration")) and one.values:
            assert one.default in one.values, one.name
    assert BY_NAME["authn_context"].values == tuple(AUTHN_CONTEXTS)


def test_what_a_profile_may_set_says_so() -> None:
    told = {one.name for one in OPTIONS if one.setting.startswith("profil [options]")}
    assert told == {*_SOURCE_OPTIONS, RETRIEVE}
