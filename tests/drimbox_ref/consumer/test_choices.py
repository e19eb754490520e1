"""What a configuration may offer: several local PACS, several exams in one go, portable media."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from drimbox_ref.config import ConfigError
from drimbox_ref.consumer.config import load
from simulators import pacs
from simulators.user import User
from tests.drimbox_ref.consumer.bed import DEADLINE, NUMBERS, Bed, Sync


class Choosing(Bed):
    """Two local PACS, ultrasound exported lossy, ZIPs."""

    async def start(self) -> None:
        self.second = pacs.build(pacs.PacsConfig(ae_title="SECOURS"), self.observe)
        self.second.start()
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        self.second.stop()

    def configuration(self, addresses: dict[str, str]) -> dict[str, Any]:
        written = super().configuration(addresses)
        first = written["local_pacs"]
        written["local_pacs"] = [
            {**first, "name": "Imagerie"},
            {**first, "ae_title": "SECOURS", "port": self.second.port},
        ]
        written["options"] = {"zip_export": True}
        written["export_syntaxes"] = {"CT": "lossy"}
        return written


@pytest.fixture(scope="module")
def choosing(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sync]:
    made = Choosing(tmp_path_factory.mktemp("bed"))
    portal.call(made.start)
    try:
        yield Sync(portal, made)
    finally:
        portal.call(made.stop)


@pytest.fixture
def user(choosing: Sync) -> User:
    """A page with two exams of a patient of this test's own."""
    number = next(NUMBERS)
    choosing.bed.ins = f"2790351{number:06d}89"
    choosing.bed.patient()
    choosing.study(series=1, count=2, date="20261120")
    choosing.study(series=1, count=2, date="20261119")
    return choosing.opened()


def studies(user: User) -> list[str]:
    return re.findall(r'data-study="([0-9.]+)"', user.page.body.decode())


def ended(choosing: Sync) -> None:
    async def run() -> None:
        for job in choosing.bed.parts.sessions.tasks():
            await asyncio.wait([job], timeout=DEADLINE)

    choosing.portal.call(run)


def test_several_exams_go_to_the_chosen_pacs_in_one_go(choosing: Sync, user: User) -> None:
    bed = choosing.bed
    assert isinstance(bed, Choosing)
    choosing.submit(
        user,
        "selection-export",
        **{"choix-1": "1", "choix-2": "1", "destination": "SECOURS", "syntaxe": "lossless"},
    )
    ended(choosing)
    for study in studies(user):
        assert (bed.pacs.count(study), bed.second.count(study)) == (0, 2)
    # The choice is remembered (DB.CO.62), and what was exported is said (DB.CO.79).
    again = choosing.opened()
    text = again.page.text()
    assert text.count("Déjà exporté vers SECOURS") == 2
    form = again.page.form("export-1")
    assert form is not None
    assert dict(form.fields)["destination"] == "SECOURS"


def test_the_modality_decides_unless_somebody_chooses(choosing: Sync, user: User) -> None:
    def preferred(since: int) -> set[str]:
        (asked,) = (one for one in choosing.bed.exchanges[since:] if one.transaction == "WADO-RS")
        assert asked.request is not None
        accept = asked.request.header("Accept") or ""
        weights = dict(re.findall(r"transfer-syntax=([0-9.]+);\s*q=([0-9.]+)", accept))
        best = max(map(float, weights.values()))
        return {uid for uid, q in weights.items() if float(q) == best}

    since = choosing.since()
    choosing.submit(user, "export-1", destination="Imagerie")
    ended(choosing)
    assert preferred(since) == {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
    since = choosing.since()
    choosing.submit(user, "export-2", syntaxe="lossless")
    ended(choosing)
    assert preferred(since) == {"1.2.840.10008.1.2.4.70"}


def test_nothing_ticked_and_unknown_choices_are_refused(choosing: Sync, user: User) -> None:
    choosing.submit(user, "selection-export")
    assert user.page.status == 400
    assert "Cochez au moins un examen" in user.page.text()

    async def post(body: bytes) -> int:
        page = choosing.bed.user()
        await page.call(user.history[0][2], choosing.bed.call())
        await page.login("899700990016")
        return (await page._go("POST", f"{page.page.url}/export", body)).status

    assert choosing.portal.call(post, b"exam=1&destination=AILLEURS") == 400
    assert choosing.portal.call(post, b"exam=1&syntaxe=mieux") == 400
    assert choosing.portal.call(post, b"exam=9") == 400


def test_an_exam_is_taken_away_as_a_zip(choosing: Sync, user: User) -> None:
    choosing.submit(user, "zip-1")
    page = user.page
    assert page.status == 200
    with zipfile.ZipFile(BytesIO(page.body)) as packed:
        assert {"DICOMDIR", "INDEX.HTM", "README.TXT"} <= set(packed.namelist())
        assert sum(name.startswith("PT") for name in packed.namelist()) == 2
    assert list((choosing.bed.directory / "state" / "zip").iterdir()) == []


def test_without_the_option_there_is_no_zip(bed: Sync) -> None:
    bed.study(series=1, count=1)
    user = bed.opened()
    assert user.page.form("export-1") is not None
    assert user.page.form("zip-1") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Imagerie"', 'name = "SECOURS"', "un nom par PACS"),
        ('CT = "lossy"', 'CT = "mieux"', "export_syntaxes.CT"),
        ('CT = "lossy"', 'SCANNER = "lossy"', "une modalité DICOM"),
    ],
)
def test_choices_that_are_none_are_named(
    choosing: Sync, tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "consumer.toml"
    text = choosing.bed.config.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        load(file)
