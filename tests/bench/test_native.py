"""A native product: images enter its own PACS, and changes are asked of its vendor."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pytest
from anyio.from_thread import BlockingPortal
from pydicom import dcmread

from bench.archives import ProductPacs, Sender, by_c_store, by_stow
from bench.campaign import Options, plan
from bench.changes import ByHand, ByProgram, by_hand
from bench.outcomes import CannotVerify, NotSendable
from bench.profile import ProfileError, read
from features import FEATURES, STEP_MODULES
from simulators import modality, pacs
from simulators.pacs import Pacs, PacsConfig
from wire.dimse import DimsePeer
from wire.exchange import Exchange, ignore


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    patient = modality.Patient(
        name="A^B", patient_id="1", issuer="I", issuer_oid="2.25.1", birth_date="19700101", sex="F"
    )
    series = modality.Series(modality="CT", description="S", count=3, uid="2.25.30", number=1)
    return list(
        modality.make(
            modality.Exam(
                patient=patient, study_uid="2.25.20", accession="ACC", series=(series,),
                accession_issuer_oid="2.25.2", date="20261122", time="101500", description="CT",
                matrix=16,
            )
        )
    )  # fmt: skip


@pytest.fixture
def product() -> Iterator[Pacs]:
    with pacs.build(PacsConfig(ae_title="PRODUIT"), ignore) as one:
        yield one


def copy() -> Pacs:
    return pacs.build(PacsConfig(), ignore)


def test_images_enter_by_c_store(product: Pacs, files: list[bytes]) -> None:
    seen: list[Exchange] = []
    peer = DimsePeer(product.host, product.port, "PRODUIT", "source")
    archive = ProductPacs(by_c_store(peer, seen.append, timeout=10), copy())
    archive.load(files)
    assert product.count("2.25.20") == archive.copy.count("2.25.20") == 3
    assert {one.transaction for one in seen} == {"C-STORE"}

    product.faults.set("statut", "C-STORE", skip=1, statut=0xA700)
    product.remove()
    archive.copy.remove()
    with pytest.raises(CannotVerify, match=r"2 image\(s\) sur 3.*0xa700"):
        archive.load(files)
    assert product.count() == archive.copy.count() == 1
    with pytest.raises(CannotVerify, match="AUTRE"):
        by_c_store(DimsePeer("127.0.0.1", 1, "AUTRE"), ignore, timeout=1)(files)


class Stranger(BaseHTTPRequestHandler):
    """A STOW-RS server of the standard library alone."""

    protocol_version = "HTTP/1.1"
    held: ClassVar[dict[str, bytes]]
    refuse: str
    status: int

    def do_POST(self) -> None:
        kind = self.headers["Content-Type"]
        assert self.headers["Accept"] == "application/dicom+json"
        assert self.path == "/dicom-web/studies"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        assert whole.get_param("type") == "application/dicom"
        failed = []
        for part in whole.get_payload():
            data = part.get_payload(decode=True)
            uid = str(dcmread(BytesIO(data)).SOPInstanceUID)
            if uid == self.refuse:
                failed.append({"00081155": {"vr": "UI", "Value": [uid]}})
            else:
                self.held[uid] = data
        answer = {"00081198": {"vr": "SQ", "Value": failed}} if failed else {}
        text = json.dumps(answer).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[tuple[type[Stranger], str]]:
    class One(Stranger):
        held: ClassVar[dict[str, bytes]] = {}
        refuse, status = "", 200

    server = ThreadingHTTPServer(("127.0.0.1", 0), One)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield One, f"http://127.0.0.1:{server.server_port}/dicom-web/"
    server.shutdown()
    thread.join()
    server.server_close()


def sender(url: str, portal: BlockingPortal, seen: list[Exchange]) -> Sender:
    return by_stow(url, seen.append, tls=None, run=portal.call, timeout=10)


def test_images_enter_by_stow(
    stranger: tuple[type[Stranger], str], portal: BlockingPortal, files: list[bytes]
) -> None:
    server, url = stranger
    seen: list[Exchange] = []
    archive = ProductPacs(sender(url, portal, seen), copy())
    archive.load(files)
    assert sorted(server.held.values()) == sorted(files)
    assert archive.copy.count() == 3
    assert [one.transaction for one in seen] == ["STOW-RS"]

    server.refuse, server.status = next(iter(server.held)), 202
    archive.copy.remove()
    with pytest.raises(CannotVerify, match=r"1 image\(s\) sur 3"):
        archive.load(files)
    assert archive.copy.count() == 2
    server.refuse, server.status = "", 503
    with pytest.raises(CannotVerify, match=r"3 image\(s\) sur 3.*HTTP 503"):
        archive.load(files)
    with pytest.raises(CannotVerify, match="STOW-RS vers"):
        sender("http://127.0.0.1:1", portal, seen)(files)


def test_a_vendor_s_program_is_asked_for_changes(tmp_path: Path) -> None:
    script = tmp_path / "changes.py"
    script.write_text(
        "import sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]))\n"
        "print('examen verrouillé')\n"
        "sys.exit(sys.argv[1] == 'remove-study')\n"
    )
    program = ByProgram((sys.executable, str(script)), 20)
    program("remove-instance", ("1.1", "1.2", "1.3"))
    assert (tmp_path / "asked").read_text() == "remove-instance 1.1 1.2 1.3"
    with pytest.raises(CannotVerify, match="code 1 : examen verrouillé"):
        program("remove-study", ("1.1",))
    with pytest.raises(NotSendable, match="absent"):
        ByProgram((str(tmp_path / "absent"),), 1)("remove-study", ("1.1",))
    with pytest.raises(ByHand, match=r"retirer .*1\.3"):
        by_hand("remove-instance", ("1.1", "1.2", "1.3"))


NATIVE = '[claims]\nmode = "native"\n[source]\nmllp = "127.0.0.1:1"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[claims]\nmode = "native"', "source.command"),
        (NATIVE, "source.store"),
        (f'{NATIVE}stow = "dicom-web"', "source.stow"),
        (f'{NATIVE}stow = "https://p/rs"\nstow_key = "k.pem"', "vont ensemble"),
        (f'{NATIVE}stow = "http://p/rs"\nstow_key = "k"\nstow_certificate = "c"', "https"),
    ],
)
def test_a_native_profile_says_where_images_go(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(ProfileError, match=told):
        read(file)


def test_what_a_native_product_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(f'{NATIVE}stow = "https://p/rs"\nstow_trust = "ca.pem"')
    native = read(file)
    assert native.source.stow_trust == (tmp_path / "ca.pem").as_posix()
    options = Options(features=FEATURES, steps=STEP_MODULES, profile=native)
    asked = {one.pickle.scenario: one.omitted for one in plan(options)}
    assert {asked[id] for id in ("SCN-PUB-01", "SCN-NAT-01", "SCN-NAT-03")} == {""}
    proxy = plan(Options(features=FEATURES, steps=STEP_MODULES, only=("DB.SO.27",)))
    assert all("native seulement" in one.omitted for one in proxy)
