"""The audit trail: found again by patient, professional and document, and never altered unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from drimbox_ref.database import Database
from drimbox_ref.trail import SCHEMA, AuditEvent, Criteria, SqlAudit, audit_key
from tests.drimbox_ref.source.world import World

_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_KEY = b"une clef"


@pytest.fixture
def audit(world: World) -> SqlAudit:
    made = SqlAudit(world.database, key=_KEY)
    for number in range(1, 5):
        made.record(
            AuditEvent(
                event="ITI-41" if number % 2 else "ITI-43",
                outcome=0 if number < 4 else 8,
                description="" if number < 4 else "Le DMP refuse.",
                subject=f"80{number}",
                patient=f"2750{number}",
                objects={"kos": f"1.2.{number}", "path": f"/studies/9.{number}/series/9.1"},
            ),
            now=_NOW + timedelta(minutes=number),
        )
    return made


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        (Criteria(), [4, 3, 2, 1]),
        (Criteria(patient="27502"), [2]),
        (Criteria(professional="803"), [3]),
        (Criteria(document="1.2.4"), [4]),
        (Criteria(document="9.3"), [3]),
        (Criteria(document="9.1"), [4, 3, 2, 1]),
        (Criteria(event="ITI-41"), [3, 1]),
        (Criteria(event="ITI-41", patient="27502"), []),
        (Criteria(failures=True), [4]),
        (Criteria(since=_NOW + timedelta(minutes=2), until=_NOW + timedelta(minutes=4)), [3, 2]),
    ],
)
def test_records_are_found(audit: SqlAudit, criteria: Criteria, numbers: list[int]) -> None:
    assert [record.number for record in audit.search(criteria, 10)] == numbers


def test_an_intact_chain_verifies(audit: SqlAudit) -> None:
    chain = audit.verify()
    assert chain.intact
    assert chain.count == 4
    assert audit.verify(anchor=(4, chain.head)).intact


_CHANGED = "UPDATE audit_trail SET content = replace(content, '27502', '27503') WHERE id = 2"


@pytest.mark.parametrize(
    ("alteration", "said"),
    [
        (_CHANGED, "enregistrement 2 : modifié"),
        ("DELETE FROM audit_trail WHERE id = 2", "enregistrements 2 à 2 : absents"),
        ("DELETE FROM audit_trail WHERE id = 4", "la tête de chaîne annonce 4"),
        ("DELETE FROM audit_trail", "la tête de chaîne annonce 4"),
        ("DELETE FROM audit_head", "la tête de chaîne est absente"),
        ("DELETE FROM audit_keys WHERE record = 3", "clés de recherche"),
        ("UPDATE audit_keys SET value = 'x' WHERE record = 3", "clés de recherche"),
        ("UPDATE audit_trail SET utc = utc + 60 WHERE id = 1", "heure de recherche"),
        ("UPDATE audit_trail SET id = 9 WHERE id = 4", "enregistrements 4 à 8 : absents"),
        (
            "INSERT INTO audit_trail SELECT 5, utc, content, mac FROM audit_trail WHERE id = 4",
            "enregistrement 5 : modifié",
        ),
    ],
)
def test_an_alteration_is_told(world: World, audit: SqlAudit, alteration: str, said: str) -> None:
    with world.database.transaction() as connection:
        connection.execute(text(alteration))
    chain = audit.verify()
    assert not chain.intact
    assert said in "\n".join(chain.breaks)


def test_what_is_removed_stays_removed(world: World, audit: SqlAudit) -> None:
    """A record that comes after does not hide it."""
    with world.database.transaction() as connection:
        connection.execute(text("DELETE FROM audit_trail WHERE id = 4"))
    audit.record(AuditEvent(event="ITI-41", outcome=0, description=""), now=_NOW)
    assert "enregistrements 4 à 4 : absents" in audit.verify().breaks


def test_a_noted_record_shows_that_all_went_back(world: World, audit: SqlAudit) -> None:
    noted = audit.verify()
    with world.database.transaction() as connection:
        mac = connection.execute(text("SELECT mac FROM audit_trail WHERE id = 2")).scalar_one()
        connection.execute(text("DELETE FROM audit_trail WHERE id > 2"))
        connection.execute(text("UPDATE audit_head SET last = 2, mac = :mac"), {"mac": mac})
    assert audit.verify().intact
    assert not audit.verify(anchor=(4, noted.head)).intact


def test_another_key_verifies_nothing(world: World, audit: SqlAudit) -> None:
    assert not SqlAudit(world.database, key=b"une autre").verify().intact


def test_the_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    key = audit_key(tmp_path / "state")
    assert len(key) == 32
    assert audit_key(tmp_path / "state") == key
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["audit.key"]
    assert (tmp_path / "state" / "audit.key").stat().st_mode & 0o077 == 0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=30), objects=st.dictionaries(st.just("message"), st.text(max_size=9)))
def test_whatever_a_peer_writes_is_kept_as_it_is(
    tmp_path: Path, text: str, objects: dict[str, str]
) -> None:
    database = Database(tmp_path / "trail.sqlite", SCHEMA)
    try:
        audit = SqlAudit(database, key=_KEY)
        event = AuditEvent(event="RAD-128", outcome=4, description=text, objects=objects)
        audit.record(event, now=_NOW)
        assert audit.search(Criteria(), 1)[0].event == event
        assert audit.verify().intact
    finally:
        database.close()
