"""The Source's listeners, met by strangers: openssl, curl, dicomweb-client, hl7, DCMTK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from load.benchmarks.workbench import PublishedSeries
from simulators.igc import CredentialFiles
from simulators.ris.messages import Options
from spec.wado import KOS_HEADER
from tests.interop.conftest import Done, run

pytestmark = pytest.mark.interop

REQUEST = b"OPTIONS /drimbox/rs HTTP/1.1\r\nHost: db1.drimbench.test\r\nConnection: close\r\n\r\n"


@pytest.fixture
def bed(series: PublishedSeries) -> Any:
    return series.story.bed


def s_client(bed: Any, version: str, shown: CredentialFiles | None) -> Done:
    papers = () if shown is None else ("-cert", shown.certificate, "-key", shown.key)
    return run(
        "openssl", "s_client", "-ign_eof", version, "-connect", bed.source["wado"],
        "-servername", bed.site.names.source, "-CAfile", bed.papers.market_trust,
        "-verify_return_error", *papers, data=REQUEST,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_is_served_with_a_certificate_of_the_right_authority(
    bed: Any, version: str
) -> None:
    done = s_client(bed, version, bed.papers.clients["peer"])
    assert "Verify return code: 0 (ok)" in done.text
    assert b"HTTP/1.1 200" in done.out


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_is_told_why_its_certificate_is_refused(bed: Any, version: str) -> None:
    done = s_client(bed, version, bed.papers.rogues["market"])
    assert "alert unknown ca" in done.text
    assert b"HTTP/" not in done.out


@pytest.mark.parametrize(
    ("version", "alert"),
    [("-tls1_2", "alert handshake failure"), ("-tls1_3", "alert certificate required")],
)
def test_openssl_is_told_that_a_certificate_is_missing(bed: Any, version: str, alert: str) -> None:
    done = s_client(bed, version, None)
    assert alert in done.text
    assert b"HTTP/" not in done.out


def test_openssl_meets_no_old_version(bed: Any) -> None:
    done = s_client(bed, "-tls1_1", bed.papers.clients["peer"])
    assert done.code != 0
    assert b"HTTP/" not in done.out


def curl(bed: Any, address: str, host: str, path: str, *more: str | Path) -> Done:
    port = urlsplit(f"//{address}").port
    done = run(
        "curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "20",
        "--cacert", bed.papers.market_trust, "--resolve", f"{host}:{port}:127.0.0.1",
        *more, f"https://{host}:{port}{path}",
    )  # fmt: skip
    assert done.code == 0, done.text
    return done


def test_curl_reads_the_capabilities(bed: Any) -> None:
    peer = bed.papers.clients["peer"]
    papers = ("--cert", peer.certificate, "--key", peer.key)
    address, host = bed.source["wado"], bed.site.names.source
    wadl = curl(bed, address, host, "/drimbox/rs", "-X", "OPTIONS", *papers)
    assert b"http://wadl.dev.java.net/2009/02" in wadl.out
    accept = ("-H", "Accept: application/json")
    read = curl(bed, address, host, "/drimbox/rs", "-X", "OPTIONS", *papers, *accept)
    assert json.loads(read.out)["headers"] == ["Authorization", KOS_HEADER, "Accept"]


def test_curl_reads_the_white_list(bed: Any) -> None:
    where = urlsplit(bed.addresses().white_list)
    got = curl(bed, where.netloc, bed.site.names.ans, where.path).out
    assert got == bed.ans.document()
    assert bed.site.names.source.encode() in got


def test_another_hl7_client_is_acknowledged(series: PublishedSeries, bed: Any) -> None:
    client = pytest.importorskip("hl7.client", reason="paquet absent : hl7 (extra interop)")
    import hl7

    message = bed.ris.message(series.story.report(), Options())
    host, port = bed.source.pair("mllp")
    with client.MLLPClient(host, port) as source:
        answer = hl7.parse(source.send_message(message).strip(b"\x0b\x1c\r"), encoding="utf-8")
    assert str(answer.segment("MSA")[1]) == "AA"
    assert str(answer.segment("MSA")[2]) == str(hl7.parse(message, encoding="utf-8")["MSH.10"])
    assert str(answer.segment("MSH")[9]).startswith("ACK^R01")


def test_dicomweb_client_retrieves_the_series(series: PublishedSeries, bed: Any) -> None:
    web = pytest.importorskip(
        "dicomweb_client.api", reason="paquet absent : dicomweb-client (extra interop)"
    )
    import requests
    from requests.adapters import HTTPAdapter

    class Named(HTTPAdapter):
        """Checks the certificate on the name of the Source, which no resolver knows."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            name = bed.site.names.source
            super().init_poolmanager(*args, assert_hostname=name, server_hostname=name, **kwargs)

    manners, peer = series.imaging.good_manners(), bed.papers.clients["peer"]
    session = requests.Session()
    session.trust_env = False
    session.verify = str(bed.papers.market_trust)
    session.cert = (str(peer.certificate), str(peer.key))
    session.mount("https://", Named())
    client = web.DICOMwebClient(
        f"https://{bed.source['wado']}/drimbox/rs",
        session=session,
        headers={"Authorization": f"Bearer {manners.token}", KOS_HEADER: str(manners.kos_uid)},
    )
    exam = series.exam
    got = client.retrieve_series(exam.study_uid, exam.series[0].uid)
    expected = {one.sop_instance: one for one in bed.pacs.instances(exam.study_uid)}
    assert {image.SOPInstanceUID for image in got} == set(expected)
    ins = series.story.patient.ins
    assert ins is not None
    for image in got:
        assert image.pixel_array.shape == (512, 512)
        assert image.PixelData in expected[image.SOPInstanceUID].dataset()
        assert ins.value in [one.PatientID for one in image.OtherPatientIDsSequence]


def test_dcmtk_is_welcome_and_its_unasked_images_are_not(bed: Any, tmp_path: Path) -> None:
    host, port = bed.source.pair("dicom")
    title = bed.profile.source.ae_title
    assert run("echoscu", "-aec", title, host, str(port)).code == 0
    assert run("echoscu", "-aec", "OTHER", host, str(port)).code != 0
    file = tmp_path / "image.dcm"
    file.write_bytes(bed.pacs.instances()[0].file())
    done = run("storescu", "-v", "-aec", title, host, str(port), file)
    assert "0x124" in done.text  # Refused: Not Authorized, PS3.7 C.5.8


def test_dcmtk_finds_the_published_exam(series: PublishedSeries, bed: Any) -> None:
    done = run(
        "findscu", "-S", "-aec", "KITPACS", "-k", "QueryRetrieveLevel=STUDY",
        "-k", "StudyInstanceUID", "-k", f"AccessionNumber={series.exam.accession.value}",
        "-k", "NumberOfStudyRelatedInstances", "127.0.0.1", str(bed.pacs.port),
    )  # fmt: skip
    assert done.code == 0
    assert series.exam.study_uid in done.text
