"""The world around a Source as real services in one loop, and the box as a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import tomli_w
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from protocols.dicomweb import format_accept
from protocols.multipart import Parser, PartBegin, PartData, boundary_of
from protocols.whitelist import Domain
from simulators import dmp, pacs, psc
from simulators.ans import publication
from simulators.ans import service as ans_service
from simulators.igc import service as igc_service
from simulators.ris.service import Ris
from spec.wado import KOS_HEADER, LOSSLESS_PROFILE
from tests.drimbox_ref.source.world import INS, IPP, STRUCTURE, cda_report, oru
from wire.exchange import Exchange, ignore
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls, ServerTls

__all__ = ["BASE", "HOST", "Bed", "image", "parts", "publish", "running"]

HOST = "db1.drimbench.test"
BASE = f"https://{HOST}/drimbox/rs"
CT = "1.2.840.10008.5.1.4.1.1.2"
DEADLINE = 20.0


def image(
    study: str,
    series: int,
    number: int,
    *,
    accession: str = "ACC-1",
    ipp: str = IPP,
    implicit: bool = False,
    side: int = 8,
) -> bytes:
    """A small CT slice as a Part 10 file."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID = CT
    data.SOPInstanceUID = f"{study}.{series}.{number}"
    data.StudyDate, data.StudyTime = "20261120", "093000"
    data.AccessionNumber = accession
    data.Modality = "CT"
    data.StudyDescription = "Scanner crânien"
    data.SeriesDescription = f"Série {series}"
    data.PatientName = "PAT-TROIS^DOMINIQUE"
    data.PatientID = ipp
    data.PatientBirthDate, data.PatientSex = "19790328", "F"
    data.StudyInstanceUID = study
    data.SeriesInstanceUID = f"{study}.{series}"
    data.StudyID = ""
    data.SeriesNumber, data.InstanceNumber = series, number
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = side
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = bytes([number % 256, 1]) * (side * side)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = (
        ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    )
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


async def start_igc() -> igc_service.IgcServer:
    return await igc_service.start(clock=Bed.now, observe=ignore)


class Bed:
    """Everything that a Source needs. Use from the test's thread; services live in the portal."""

    def __init__(self, portal: BlockingPortal, directory: Path) -> None:
        self.portal = portal
        self.directory = directory
        self.exchanges: list[Exchange] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = directory / "source.json"
        self.addresses: dict[str, str] = {}
        self._random = random.Random(1)
        self._numbers = iter(range(1, 10_000))
        self._make_papers()

    def call(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return self.portal.call(function, *args)

    def observe(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def counts(self) -> Counter[str]:
        return Counter(exchange.transaction for exchange in self.exchanges)

    # -- the world ---------------------------------------------------------------------------

    def _make_papers(self) -> None:
        self.igc = self.call(start_igc)
        self.pki = self.igc.pki
        key = self.pki.throwaway_key
        papers = self.directory / "pki"
        self.trust = self.pki.write(papers)
        self.server_files = {
            name: self.pki.server(f"{name}.drimbench.test", key=key).write(papers, f"srv-{name}")
            for name in ("db1", "dmp", "psc", "ans")
        }
        self.auth = self.pki.auth_cli("KIT-BOX", STRUCTURE, key=key).write(papers, "auth")
        self.sign = self.pki.sign("KIT-BOX", STRUCTURE, key=key).write(papers, "sign")
        self.psc_files = self.pki.auth_cli("kit-source", "318751275100020", key=key).write(
            papers, "psc"
        )
        peer = self.pki.auth_cli("db2.drimbench.test", "318751275100020", key=key)
        self.peer_dn, self.peer = peer.dn, peer.write(papers, "peer")
        self.stranger = self.pki.auth_cli("db9.drimbench.test", "318751275100020", key=key).write(
            papers, "stranger"
        )
        self.signer = self.pki.sign("KIT Liste Blanche", "318751275100020", key=key)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def _tls(self, name: str, require: Any = "none") -> ServerTls:
        files = self.server_files[name]
        authority = None if require == "none" else self.trust.igc_trust
        return ServerTls(files.certificate, files.key, authority, require)

    async def start(self) -> None:
        self.ans = publication.Ans(
            signer=publication.Signer(self.signer.key, self.signer.certificate),
            clock=self.now,
            domains=[Domain(identifier="2", db="db2.drimbench.test", operator_dn=self.peer_dn)],
        )
        self.ans_server = await ans_service.start(
            self.ans, observe=self.observe, tls=self._tls("ans")
        )
        self.psc = psc.build(
            psc.PscConfig(
                tls=self._tls("psc", "optional"),
                key=rsa.generate_private_key(65537, 2048),
                clock=self.now,
                rng=random.Random(2),
                clients=(psc.Client(client_id="kit-source"), psc.Client(client_id="kit-consumer")),
            ),
            self.observe,
        )
        await self.psc.start()
        self.dmp = dmp.build(
            dmp.DmpConfig(
                tls=self._tls("dmp", "required"),
                trust=dmp.Trust(
                    roots=(self.pki.igc_root,),
                    intermediates=(self.pki.igc_intermediate,),
                    crls=lambda: [x509.load_der_x509_crl(self.pki.crl())],
                ),
                database=self.directory / "dmp.sqlite",
                clock=self.now,
                uuid=lambda: uuid.UUID(int=self._random.getrandbits(128), version=4),
            ),
            self.observe,
        )
        await self.dmp.start()
        self.pacs = pacs.build(pacs.PacsConfig(ae_title="KITPACS"), self.observe)
        self.pacs.start()
        self.ris = Ris(
            observe=self.observe, clock=self.now, ids=lambda: f"KIT{next(self._numbers)}"
        )

    async def stop(self) -> None:
        self.pacs.stop()
        for stop in (self.dmp.stop, self.psc.stop, self.ans_server.stop, self.igc.stop):
            await stop()

    # -- the box -----------------------------------------------------------------------------

    def configuration(self) -> dict[str, Any]:
        files = self.server_files["db1"]
        return {
            "box": {"name": "source", "state": str(self.directory / "state"), "seed": 5},
            "identity": {
                "installation_oid": "1.2.250.1.999.1",
                "uid_root": "1.2.250.1.999.1.9",
                "lps_name": "DRIMbox d'essai",
                "lps_version": "1.0",
                "lps_id": "KIT-1",
                "lps_homologation": "KIT-HOMO",
            },
            "dicom": {"ae_title": "DRIMBOX"},
            "wado": {
                "public_url": BASE,
                "certificate": str(files.certificate),
                "key": str(files.key),
                "client_ca": str(self.trust.igc_trust),
            },
            "pacs": [{"ae_title": "KITPACS", "host": "127.0.0.1", "port": self.pacs.port}],
            "dmp": {
                "url": self.dmp.url,
                "trust": str(self.trust.market_trust),
                "structures": [
                    {
                        "id": STRUCTURE,
                        "auth_certificate": str(self.auth.certificate),
                        "auth_key": str(self.auth.key),
                        "sign_certificate": str(self.sign.certificate),
                        "sign_key": str(self.sign.key),
                    }
                ],
            },
            "psc": {
                "issuer": self.psc.issuer,
                "trust": str(self.trust.market_trust),
                "certificate": str(self.psc_files.certificate),
                "key": str(self.psc_files.key),
                "professions": ["10"],
            },
            "whitelist": {
                "url": self.ans_server.url + ans_service.WHITE_LIST_PATH,
                "trust": str(self.trust.market_trust),
                "igc_trust": str(self.trust.igc_trust),
                "signer_cn": "KIT Liste Blanche",
                "signer_ou": "318751275100020",
            },
            "timing": {
                "retry_first_s": 0.1,
                "retry_max_s": 0.5,
                "pacs_timeout_s": 5.0,
                "dmp_timeout_s": 5.0,
            },
        }

    def spawn(self) -> None:
        """Start the box and wait for its ready file."""
        config = self.directory / "source.toml"
        config.write_bytes(tomli_w.dumps(self.configuration()).encode())
        former = self.ready.read_text() if self.ready.exists() else ""
        log = (self.directory / "source.log").open("ab")
        command = [sys.executable, "-m", "drimbox_ref", "source"]
        command += ["--config", str(config), "--ready", str(self.ready)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[3],
        )
        log.close()
        self.until(
            lambda: (
                self.ready.exists()
                and self.ready.read_text() != former
                and json.loads(self.ready.read_text())["pid"] == self.process.pid
            )  # type: ignore[union-attr]
        )
        self.addresses = json.loads(self.ready.read_text())
        host, _, port = self.addresses["dicom"].rpartition(":")
        self.pacs.add_destination("DRIMBOX", host, int(port), "source")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> int:
        """Close the box's stdin; its exit code."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=DEADLINE)

    def until(self, condition: Callable[[], Any], deadline: float = DEADLINE) -> Any:
        """Wait for a condition outside this process: nothing to subscribe to, so it is polled."""
        end = time.monotonic() + deadline
        while True:
            found = condition()
            if found:
                return found
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the box ended: {self.log()}")
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain; box log:\n{self.log()}")
            time.sleep(0.02)

    def log(self) -> str:
        return (self.directory / "source.log").read_text()[-4000:]

    def admin(self, view: str) -> list[dict[str, Any]]:
        with urlopen(f"http://{self.addresses['admin']}/admin/{view}", timeout=10) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    # -- what is done to it ------------------------------------------------------------------

    def load(self, study: str, *, series: int = 2, instances: int = 3, **options: Any) -> None:
        for one in range(1, series + 1):
            for number in range(1, instances + 1):
                self.pacs.load(image(study, one, number, **options))

    def send(self, message: bytes) -> Any:
        host, _, port = self.addresses["mllp"].rpartition(":")
        return self.call(self.ris.send, message, (host, int(port)))

    def documents(self, study: str = "") -> list[Any]:
        """The KOS in the DMP, signatures left out."""
        return [
            stored
            for stored in self.dmp.documents(INS, "1.2.250.1.213.1.4.10")
            if stored.entry.mime_type == "application/dicom"
            and any(study in one for one in stored.entry.reference_ids)
        ]

    def token(self, index: int = 0, **options: Any) -> str:
        return str(self.psc.issue(self.psc.professionals[index], "kit-consumer", **options))

    def wado(
        self,
        path: str,
        *,
        kos: str | None = None,
        token: str | None = None,
        accept: tuple[str, ...] = format_accept(LOSSLESS_PROFILE),
        certificate: Any = None,
        method: str = "GET",
    ) -> Response:
        headers = [("Accept", one) for one in accept]
        if token is not None:
            headers.append(("Authorization", f"Bearer {token}"))
        if kos is not None:
            headers.append((KOS_HEADER, kos))
        shown = certificate or self.peer

        async def request() -> Response:
            async with HttpClient(
                actor="consumer",
                tls=ClientTls(self.trust.market_trust, shown.certificate, shown.key),
                connect_to={HOST: self.addresses["wado"]},
            ) as client:
                return await client.request(method, BASE + path, headers=headers)

        response: Response = self.call(request)
        return response


@contextmanager
def running(directory: Path, kind: type[Bed] = Bed) -> Iterator[Bed]:
    """A world with a Source in it, which ends well."""
    with start_blocking_portal("asyncio") as portal:
        made = kind(portal, directory)
        made.call(made.start)
        try:
            made.spawn()
            yield made
            assert made.close() == 0
        finally:
            if made.process is not None and made.process.poll() is None:
                made.kill()
            made.call(made.stop)


def publish(bed: Bed, study: str, control_id: str) -> str:
    """Publish one study; its KOS."""
    assert bed.send(oru(cda_report((study,)), control_id=control_id)).accepted
    (stored,) = bed.until(lambda: bed.documents(study))
    bed.until(
        lambda: any(
            entry["kos_uid"] == stored.entry.unique_id and entry["entry_uuid"]
            for entry in bed.admin("archive")
        )
    )
    return str(stored.entry.unique_id)


def parts(response: Response) -> list[tuple[dict[str, str], bytes]]:
    """Headers and bytes of each part of a multipart answer."""
    parser = Parser(boundary_of(response.headers.get("Content-Type")))
    found: list[tuple[dict[str, str], bytearray]] = []
    for event in parser.feed(response.body):
        if isinstance(event, PartBegin):
            found.append(({name.lower(): value for name, value in event.headers}, bytearray()))
        elif isinstance(event, PartData):
            found[-1][1].extend(event.data)
    parser.finish()
    return [(headers, bytes(data)) for headers, data in found]
