"""The Consumer as a process: ready file, a clean end, its ports kept, configuration errors."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from anyio.from_thread import start_blocking_portal

from tests.drimbox_ref.consumer.bed import CALL, RADIOLOGIST, WEB, Bed
from tests.drimbox_ref.test_forwarding import receiving
from tests.wire.conftest import _authority

COMMAND = (sys.executable, "-m", "drimbox_ref", "consumer")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Bed]]:
    made = Bed(tmp_path_factory.mktemp("bed"))
    with start_blocking_portal("asyncio") as portal:
        portal.call(made.start)
        portal.call(made.box.stop)
        yield portal, made
        made.box = made.source  # type: ignore[assignment]
        portal.call(made.stop)


def spawn(config: Path, ready: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [*COMMAND, "--config", str(config), "--ready", str(ready)],
            stdin=subprocess.PIPE,
            stderr=file,
            cwd=ROOT,
        )


def addresses(process: subprocess.Popen[bytes], ready: Path, log: Path) -> dict[str, Any]:
    """The ready file of that process: nothing to subscribe to, so it is polled."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            content: dict[str, Any] = json.loads(ready.read_text())
        except (FileNotFoundError, ValueError):
            content = {}
        if content.get("pid") == process.pid:
            return content
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def test_a_consultation_through_the_process(bed: tuple[Any, Bed], tmp_path: Path) -> None:
    portal, made = bed
    made.publish("1.2.250.1.999.40.1", series=1, count=2)
    ready, log = tmp_path / "ready.json", tmp_path / "log"
    process = spawn(made.config, ready, log)
    try:
        found = addresses(process, ready, log)
        assert found["role"] == "consumer"
        made.addresses = found

        async def consult() -> str:
            user = made.user()
            await user.call(f"https://{WEB}/drim", CALL)
            await user.login(RADIOLOGIST)
            await user.submit("export-1")
            deadline = asyncio.get_running_loop().time() + 20
            while asyncio.get_running_loop().time() < deadline:
                await user.reload()
                if "terminé" in user.page.text():
                    break
            return user.page.text()

        assert "Export terminé : 2 images" in portal.call(consult), log.read_text()
        assert made.pacs.count("1.2.250.1.999.40.1") == 2
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
    again = spawn(made.config, ready, log)
    try:
        kept = addresses(again, ready, log)
        assert (kept["web"], kept["admin"]) == (found["web"], found["admin"])
        again.terminate()
        assert again.wait(timeout=20) == 0
    finally:
        again.kill()
        again.wait()
    assert "ey" + "J" not in log.read_text()


def test_an_export_outlives_its_process(bed: tuple[Any, Bed], tmp_path: Path) -> None:
    """500 images, the process killed while it stores them: the next one stores the rest."""
    portal, made = bed
    study, count = "1.2.250.1.999.40.2", 500
    former, made.ins = made.ins, "162018885045327"
    before = made.counts()["WADO-RS"]
    made.publish(study, series=5, count=count // 5)
    ready, log = tmp_path / "ready.json", tmp_path / "log"
    process = spawn(made.config, ready, log)

    async def ask() -> None:
        user = await made.opened()
        await user.submit("export-1")

    async def shown() -> str:
        user = await made.opened()
        return str(user.page.text())

    try:
        made.addresses = addresses(process, ready, log)
        portal.call(made.patient)
        portal.call(ask)
        wait_for(lambda: made.pacs.count(study) >= 100, process, log)
    finally:
        process.kill()
        process.wait()
    stored = made.pacs.count(study)
    assert 100 <= stored < count
    asked = made.counts()["WADO-RS"]
    again = spawn(made.config, ready, log)
    try:
        made.addresses = addresses(again, ready, log)
        wait_for(lambda: made.pacs.count(study) == count, again, log)
        deadline = time.monotonic() + 60
        while "Déjà exporté vers LOCAL" not in portal.call(shown):
            assert time.monotonic() < deadline, log.read_text()
    finally:
        again.kill()
        again.wait()
        made.ins = former
    # Nobody was there to give a token: what had been fetched served.
    assert made.counts()["WADO-RS"] == asked == before + 5
    # The one that was under way when the process died may have come twice, no other.
    received = [one for one in made.pacs.received if one.instance.study_uid == study]
    assert len([one for one in received if one.new]) == count
    assert len(received) <= count + 1


def wait_for(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Until `done`, while the process lives: it does not say how many images it has stored."""
    deadline = time.monotonic() + 120
    while not done():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.005)


def test_the_trail_is_sent_on_over_mutual_tls(bed: tuple[Any, Bed], tmp_path: Path) -> None:
    portal, made = bed
    authority = _authority(tmp_path / "ca", "Autorité d'essai")
    leaf = authority.leaf("boitier")
    former, made.config = made.config, tmp_path / "consumer.toml"
    written = tomllib.loads(former.read_text())
    written["audit"] = {
        "syslog": "arr.test:6514",
        "trust": str(authority.trust),
        "certificate": str(leaf.certificate),
        "key": str(leaf.key),
    }

    async def sent() -> list[str]:
        async with receiving(authority) as receiver:
            written["connect_to"]["arr.test:6514"] = f"127.0.0.1:{receiver.port}"
            made.config.write_bytes(tomli_w.dumps(written).encode())
            box = await made.make_box()
            try:
                user = made.user()
                await user.call(f"https://{WEB}/drim", CALL)
                await user.login(RADIOLOGIST)
                await asyncio.wait_for(receiver.heard.wait(), 20)
            finally:
                await box.stop()
            return [f"{one.app} {one.text.decode()}" for one in receiver.messages]

    try:
        messages = portal.call(sent)
    finally:
        made.config = former
    assert any(
        text.startswith("drimbox-consumer ") and '"110122"' in text and RADIOLOGIST in text
        for text in messages
    ), messages


def test_an_unreadable_certificate_of_the_repository_is_one_line_and_64(
    bed: tuple[Any, Bed], tmp_path: Path
) -> None:
    config, trust = tmp_path / "bad.toml", tmp_path / "trust.pem"
    trust.write_text("rien")
    written = tomllib.loads(bed[1].config.read_text())
    written["audit"] = {"syslog": "arr.test:6514", "trust": str(trust)}
    config.write_bytes(tomli_w.dumps(written).encode())
    done = subprocess.run(
        [*COMMAND, "--config", str(config), "--ready", str(tmp_path / "ready.json")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 64
    (line,) = done.stderr.decode().splitlines()
    assert "audit : attendu des certificats lisibles" in line


def test_bad_configuration_is_one_line_and_64(bed: tuple[Any, Bed], tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    written = bed[1].config.read_text()
    config.write_text(
        written.replace('calling_ae = "CONSUMER"', 'calling_ae = "FAR-TOO-LONG-AE-T"')
    )
    done = subprocess.run(
        [*COMMAND, "--config", str(config), "--ready", str(tmp_path / "ready.json")],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 64
    (line,) = done.stderr.decode().splitlines()
    assert "local_pacs.calling_ae" in line
