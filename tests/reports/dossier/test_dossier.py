"""A dossier is whole or altered, and what was altered is named; what must not leave stays."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import RSAKey

from bench.decisions import attach, decide
from bench.errors import BenchError
from bench.outcomes import Failure
from bench.packed import MARK, PackedError
from bench.resuming import resume
from protocols.timestamp import timestamp_request
from reports.dossier.manifest import MANIFEST, SIGNATURE, STAMP, Entry, Manifest, ManifestError
from reports.dossier.packing import LeakError, Packed, Sealing, pack
from reports.dossier.seal import SealError, Signer, open_seal, read_signer
from reports.dossier.verifying import FaultKind, Verification, verify
from simulators.igc import Credential, Pki, pem
from simulators.igc.tsa import TimeStamper
from tests.bench.written import write_run

RUN = "20260101T000000Z-aaaa"
ONE_MIB = 1 << 20


@dataclass
class Office:
    """A signer and a time stamping authority, with a clock."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    pki: Pki = field(init=False)
    who: Credential = field(init=False)

    def __post_init__(self) -> None:
        self.pki = Pki.create(
            clock=lambda: self.now, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl"
        )
        self.who = self.pki.sign("KIT EDITEUR", "300000000000001")

    @property
    def signer(self) -> Signer:
        return Signer(key=self.who.key, certificates=(self.who.certificate, *self.who.chain))

    def stamp(self, data: bytes) -> bytes:
        asked = timestamp_request(hashlib.sha256(data).digest(), nonce=7)
        return TimeStamper(self.pki).answer(asked)

    @property
    def sealing(self) -> Sealing:
        return Sealing(signer=self.signer, stamp=self.stamp)

    def verify(self, dossier: Path, *, later: timedelta = timedelta()) -> Verification:
        return verify(dossier, roots=[self.pki.igc_root], at=self.now + later)


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(
        tmp_path / "runs",
        RUN,
        {"SCN-1": Failure.NEEDS_REVIEW, "SCN-2": None},
        requirements=("DB.SO.12", "DB.CO.48"),
    )
    screen = tmp_path / "écran & liste.png"
    screen.write_bytes(b"\x89PNG une image")
    attach(folder, "SCN_DB/CO.01.01.01", screen, by="A. Martin")
    decide(folder, "SCN-1", 0, conform=True, by="A. Martin", comment="vu")
    return folder


@pytest.fixture
def sealed(run: Path, office: Office, tmp_path: Path) -> Path:
    return pack(run, tmp_path / "dossier.zip", office.sealing).path


def rewrite(dossier: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The dossier with its files changed, as whoever opens it by hand would."""
    with zipfile.ZipFile(dossier) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    other = dossier.with_name("autre.zip")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return other


def proofs(files: dict[str, bytes]) -> list[str]:
    return sorted(name for name in files if name.startswith("preuves/"))


def kinds(found: Verification) -> list[tuple[FaultKind, str]]:
    return [(one.kind, one.file) for one in found.faults]


# -- what verify finds -----------------------------------------------------------------------


def test_a_dossier_left_alone_is_whole(sealed: Path, office: Office) -> None:
    found = office.verify(sealed)
    assert (found.verdict, found.faults, found.left) == ("intact", [], [])
    assert found.stamp is not None
    assert found.manifest is not None
    assert found.manifest.run == RUN
    # Written again by another program, the same files are the same dossier.
    assert office.verify(rewrite(sealed, lambda files: None)).verdict == "intact"


def test_a_changed_byte(sealed: Path, office: Office) -> None:
    name = ""

    def change(files: dict[str, bytes]) -> None:
        nonlocal name
        name = proofs(files)[0]
        files[name] = files[name].replace(b"SCN-1", b"SCN-7", 1)

    found = office.verify(rewrite(sealed, change))
    assert kinds(found) == [(FaultKind.CHANGED, name)]
    assert "contenu modifié" in found.faults[0].message


def test_a_byte_changed_in_the_archive_itself(sealed: Path, office: Office) -> None:
    with zipfile.ZipFile(sealed) as archive:
        info = archive.getinfo("pieces/SCN_DB-CO.01.01.01/cran-liste.png")
    data = bytearray(sealed.read_bytes())
    at = data.index(b"PNG une image", info.header_offset)
    data[at] ^= 1
    sealed.write_bytes(data)
    assert kinds(office.verify(sealed)) == [(FaultKind.CHANGED, info.filename)]


def test_a_removed_file(sealed: Path, office: Office) -> None:
    found = office.verify(rewrite(sealed, lambda files: files.pop("metadonnees.json") and None))
    assert kinds(found) == [(FaultKind.REMOVED, "metadonnees.json")]


@pytest.mark.parametrize("seal", [SIGNATURE, STAMP])
def test_a_removed_seal(sealed: Path, office: Office, seal: str) -> None:
    found = office.verify(rewrite(sealed, lambda files: files.pop(seal) and None))
    assert (FaultKind.REMOVED, seal) in kinds(found)


def test_an_added_file(sealed: Path, office: Office) -> None:
    found = office.verify(
        rewrite(sealed, lambda files: files.update({"preuves/autre.html": b"conforme"}))
    )
    assert kinds(found) == [(FaultKind.ADDED, "preuves/autre.html")]


def test_a_swapped_proof(sealed: Path, office: Office) -> None:
    swapped: list[str] = []

    def change(files: dict[str, bytes]) -> None:
        first, second = swapped[:] = proofs(files)[:2]
        files[first], files[second] = files[second], files[first]

    found = office.verify(rewrite(sealed, change))
    assert kinds(found) == [(FaultKind.SWAPPED, name) for name in swapped]
    assert swapped[1] in found.faults[0].message


def forged(files: dict[str, bytes]) -> None:
    """A proof rewritten, and its digest in the manifest with it."""
    name = proofs(files)[0]
    files[name] = files[name].replace(b"SCN-1", b"SCN-7", 1)
    read = Manifest.read(files[MANIFEST])
    entries = tuple(
        Entry(name=one.name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for one in read.files
        for data in (files[one.name],)
    )
    files[MANIFEST] = bytes(
        Manifest(run=read.run, shape=read.shape, signed=True, stamped=True, files=entries)
    )


def test_a_forged_manifest(sealed: Path, office: Office) -> None:
    other = rewrite(sealed, forged)
    assert kinds(office.verify(other)) == [(FaultKind.MANIFEST, MANIFEST)]
    # Nobody need be trusted to see it.
    assert kinds(verify(other, at=office.now)) == [(FaultKind.MANIFEST, MANIFEST)]


def test_a_manifest_signed_again_by_somebody_else(sealed: Path, office: Office) -> None:
    stranger = Office()

    def change(files: dict[str, bytes]) -> None:
        forged(files)
        files[SIGNATURE] = stranger.signer.sign(files[MANIFEST])
        files[STAMP] = stranger.stamp(files[SIGNATURE])

    assert [kind for kind, _ in kinds(office.verify(rewrite(sealed, change)))] == [
        FaultKind.STAMP,
        FaultKind.UNTRUSTED,
    ]


def test_a_stamp_of_another_signature(sealed: Path, office: Office) -> None:
    found = office.verify(
        rewrite(sealed, lambda files: files.update({STAMP: office.stamp(b"autre chose")}))
    )
    assert kinds(found) == [(FaultKind.STAMP, STAMP)]


def test_an_expired_time_stamp_certificate(sealed: Path, office: Office) -> None:
    found = office.verify(sealed, later=timedelta(days=400))
    assert (FaultKind.STAMP_EXPIRED, STAMP) in kinds(found)
    assert office.verify(sealed, later=timedelta(days=30)).verdict == "intact"


def test_what_is_not_established_is_said(run: Path, office: Office, tmp_path: Path) -> None:
    bare = pack(run, tmp_path / "d.zip", Sealing()).path
    found = verify(bare, at=office.now)
    assert (found.verdict, found.faults) == ("ouvert", [])
    assert found.left[0].startswith("non signé")
    assert kinds(office.verify(bare)) == [(FaultKind.SIGNATURE, SIGNATURE)]
    (run / MARK).unlink()
    signed = pack(run, tmp_path / "s.zip", Sealing(signer=office.signer)).path
    found = office.verify(signed)
    assert found.left == ["non horodaté : rien ne prouve quand il a été signé"]
    assert "signataire non vérifié" in verify(signed, at=office.now).left[-1]


# -- archives that would harm ----------------------------------------------------------------


def bomb(name: str) -> Callable[[zipfile.ZipFile], None]:
    def add(archive: zipfile.ZipFile) -> None:
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(1100):
                member.write(bytes(ONE_MIB))

    return add


def named(name: str, mode: int = 0) -> Callable[[zipfile.ZipFile], None]:
    def add(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, b"x")

    return add


@pytest.mark.parametrize(
    ("add", "word"),
    [
        (named("../dehors.txt"), "sortirait"),
        (named("/etc/passwd"), "sortirait"),
        (named("preuves/../../x"), "sortirait"),
        (named("a\\b"), "sortirait"),
        (named("C:/x"), "sortirait"),
        (named("SOMMAIRE.html"), "plusieurs"),
        (named("lien", 0o120777), "lien"),
        (bomb("grand.txt"), "taux"),
    ],
)
def test_a_harmful_archive_is_refused(
    sealed: Path, office: Office, add: Callable[[zipfile.ZipFile], None], word: str
) -> None:
    with zipfile.ZipFile(sealed, "a", zipfile.ZIP_DEFLATED) as archive:
        add(archive)
    found = office.verify(sealed)
    assert {one.kind for one in found.faults} == {FaultKind.UNSAFE}
    assert word in found.faults[0].message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name(sealed: Path, office: Office) -> None:
    with zipfile.ZipFile(sealed, "a") as archive:
        archive.writestr("rapport.html", b"un autre rapport")
    assert {one.kind for one in office.verify(sealed).faults} == {FaultKind.UNSAFE}


def test_bytes_hidden_beside_the_files(sealed: Path, office: Office) -> None:
    data = sealed.read_bytes()
    sealed.write_bytes(b"cache" + data)
    assert [kind for kind, _ in kinds(office.verify(sealed))] == [FaultKind.UNSAFE]
    sealed.write_bytes(b"pas une archive")
    assert [kind for kind, _ in kinds(office.verify(sealed))] == [FaultKind.UNSAFE]
    with pytest.raises(BenchError):
        office.verify(sealed.with_name("rien.zip"))


@given(st.binary(max_size=400), st.integers(0, 400))
def test_a_hostile_manifest_or_seal_is_only_refused(data: bytes, cut: int) -> None:
    with pytest.raises(ManifestError):
        Manifest.read(data)
    with pytest.raises(SealError):
        open_seal(data[:cut] + b".." + data[cut:], b"m")


@given(
    st.lists(
        st.tuples(st.text("abc-", min_size=1, max_size=8), st.integers(0, 1 << 40)),
        unique_by=lambda pair: pair[0],
    )
)
def test_a_manifest_reads_what_it_writes(rows: list[tuple[str, int]]) -> None:
    entries = [Entry(name=name, size=size, sha256="0" * 64) for name, size in sorted(rows)]
    made = Manifest(run="r", shape="f", signed=True, stamped=False, files=tuple(entries))
    assert Manifest.read(bytes(made)) == made


# -- the signature ---------------------------------------------------------------------------


def test_a_stranger_verifies_the_signature(sealed: Path, office: Office) -> None:
    with zipfile.ZipFile(sealed) as archive:
        manifest, seal = archive.read(MANIFEST), archive.read(SIGNATURE).decode()
    head, _, value = seal.split(".")
    whole = f"{head}.{base64.urlsafe_b64encode(manifest).rstrip(b'=').decode()}.{value}"
    registry = jws.JWSRegistry(algorithms=["RS256"])
    registry.max_header_length = registry.max_payload_length = registry.max_signature_length = len(
        whole
    )
    public = office.who.key.public_key()
    read = jws.deserialize_compact(whole, RSAKey(public, public, {}), registry=registry)
    assert read.payload == manifest


def test_an_elliptic_key_signs_too(office: Office) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "KIT EC")])
    from cryptography.hazmat.primitives.hashes import SHA256

    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(office.now - timedelta(days=1))
        .not_valid_after(office.now + timedelta(days=1))
        .sign(key, SHA256())
    )
    clear = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signer = read_signer(clear, made.public_bytes(Encoding.PEM))
    assert open_seal(signer.sign(b"m"), b"m").certificate == made
    with pytest.raises(SealError):
        open_seal(signer.sign(b"m"), b"n")
    with pytest.raises(BenchError, match="celle du premier certificat"):
        read_signer(clear, pem(office.who.certificate))


# -- writing ---------------------------------------------------------------------------------


def manifest_of(packed: Packed) -> bytes:
    with zipfile.ZipFile(packed.path) as archive:
        return archive.read(MANIFEST)


def test_the_same_run_gives_the_same_manifest(run: Path, office: Office, tmp_path: Path) -> None:
    first = pack(run, tmp_path / "un.zip", office.sealing)
    (run / MARK).unlink()
    second = pack(run, tmp_path / "deux.zip", office.sealing)
    assert manifest_of(first) == manifest_of(second)
    assert first.sha256 == second.sha256


def test_each_proof_has_its_file(run: Path, tmp_path: Path) -> None:
    packed = pack(run, tmp_path / "d.zip", Sealing())
    with zipfile.ZipFile(packed.path) as archive:
        names = archive.namelist()
        drafted = archive.read("preuves/DB-CO/DB.CO.48/SCN_DB-CO.01.01.01.html").decode()
        meta = json.loads(archive.read("metadonnees.json"))
    own = "preuves/DB-SO/DB.SO.12/KIT-DB.SO.12.SCN-1.html"
    assert own in names
    assert "pieces/SCN_DB-CO.01.01.01/cran-liste.png" in drafted
    for word in ("Étape", "Action", "Attendu", "Observé", "Preuve", "paraphrase"):
        assert word in drafted
    assert [one["par"] for one in meta["decisions"]] == ["A. Martin"]
    assert meta["graine"] == 1


def test_the_paper_is_archivable_and_carries_the_results(run: Path, tmp_path: Path) -> None:
    """PDF/A-3a and PDF/UA-1 by their structure: output intent, XMP, tags, embedded file."""
    packed = pack(run, tmp_path / "d.zip", Sealing())
    with zipfile.ZipFile(packed.path) as archive:
        data, results = archive.read("rapport.pdf"), archive.read("resultats.json")
    paper = pypdf.PdfReader(io.BytesIO(data))
    root = paper.trailer["/Root"]
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    xmp = root["/Metadata"].get_data().decode()
    for said in ("pdfaid:part>3<", "pdfaid:conformance>A<", "pdfuaid:part>1<"):
        assert said in xmp
    (attached,) = root["/AF"]
    assert attached.get_object()["/AFRelationship"] == "/Data"
    assert paper.attachments["resultats.json"] == [results]
    text = " ".join(page.extract_text() for page in paper.pages)
    for word in ("DB.SO.12", "KIT-DB.SO.12.SCN-1", "paraphrase"):
        assert word in text


def test_a_stranger_reads_the_matrix(run: Path, tmp_path: Path) -> None:
    packed = pack(run, tmp_path / "d.zip", Sealing())
    with zipfile.ZipFile(packed.path) as archive:
        book = openpyxl.load_workbook(io.BytesIO(archive.read("matrice.xlsx")))
        names = set(archive.namelist())
    rows = list(book["Matrice"].iter_rows(values_only=True))
    assert rows[0][:2] == ("Chapitre", "Exigence")
    assert {row[1] for row in rows[1:]} == {"DB.CO.48", "DB.SO.12"}
    paths = [row[5] for row in book["Preuves"].iter_rows(min_row=2, values_only=True)]
    assert paths
    assert set(paths) <= names
    assert book.sheetnames == ["Matrice", "Preuves", "Manquantes"]


def test_a_packed_run_is_left_alone(run: Path, tmp_path: Path) -> None:
    pack(run, tmp_path / "d.zip", Sealing())
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(PackedError, match=r"d\.zip"):
        decide(run, "SCN-1", 0, conform=True, by="B", comment="")
    with pytest.raises(PackedError, match=r"d\.zip"):
        attach(run, "SCN-1", tmp_path / "écran & liste.png", by="B")
    with pytest.raises(PackedError, match=r"d\.zip"):
        resume(run, None)  # type: ignore[arg-type]
    with pytest.raises(PackedError, match=r"d\.zip"):
        pack(run, tmp_path / "e.zip", Sealing())
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_interrupted_run_is_no_dossier(tmp_path: Path) -> None:
    cut = write_run(tmp_path / "runs", RUN, {"SCN-1": None}, ended=False)
    with pytest.raises(BenchError, match="interrompue"):
        pack(cut, tmp_path / "d.zip", Sealing())
    assert not (tmp_path / "d.zip").exists()


KILLED = """
import sys, os, signal
from pathlib import Path
from reports.dossier.packing import Sealing, pack
def progress(done, name):
    if done == 5:
        os.kill(os.getpid(), int(sys.argv[3]))
pack(Path(sys.argv[1]), Path(sys.argv[2]), Sealing(), progress=progress)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_pack_that_is_killed_leaves_nothing_half_written(
    run: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "sortie"
    folder.mkdir()
    target = folder / "d.zip"
    target.write_bytes(b"celui d'avant")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(run), str(target), str(int(how))],
        capture_output=True, timeout=60, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode != 0
    assert target.read_bytes() == b"celui d'avant"
    assert not (run / MARK).exists()
    if how is signal.SIGINT:
        assert list(folder.iterdir()) == [target]
    pack(run, target, Sealing())
    assert list(folder.iterdir()) == [target]
    assert zipfile.is_zipfile(target)


MEASURED = """
import sys
from pathlib import Path
from reports.dossier.packing import Sealing, pack
seen = []
pack(Path(sys.argv[1]), Path(sys.argv[2]), Sealing(), progress=lambda done, name: seen.append(done))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], len(seen))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM")
def test_memory_does_not_grow_with_what_is_packed(tmp_path: Path) -> None:
    def peak(name: str, files: int) -> int:
        folder = write_run(tmp_path / "runs", name, {f"SCN-{n}": None for n in range(40)})
        for rank in range(files):
            video = tmp_path / f"{rank}.mp4"
            video.write_bytes(rank.to_bytes(2) + bytes(16 * ONE_MIB))
            attach(folder, "SCN-1", video, by="A")
        told = subprocess.run(
            [sys.executable, "-c", MEASURED, str(folder), str(tmp_path / f"{name}.zip")],
            capture_output=True, text=True, timeout=300, check=True,
        ).stdout.split()  # fmt: skip
        assert int(told[1]) > files
        return int(told[0])

    small, large = peak("20260101T000000Z-aaaa", 1), peak("20260102T000000Z-bbbb", 16)
    assert large < 1.3 * small


# -- what must not leave ---------------------------------------------------------------------


def test_a_leak_keeps_the_dossier_from_being_written(run: Path, tmp_path: Path) -> None:
    log = tmp_path / "journal.txt"
    log.write_text("ligne 1\nligne 2\n" + "-----BEGIN PRIVATE KEY-----\nMII\n")
    attach(run, "SCN-1", log, by="A")
    with pytest.raises(LeakError) as caught:
        pack(run, tmp_path / "d.zip", Sealing())
    (leak,) = caught.value.leaks
    assert (leak.file, leak.line, leak.offset) == ("pieces/SCN-1/journal.txt", 3, 16)
    assert "MII" not in str(caught.value)
    assert not (tmp_path / "d.zip").exists()
    assert not (run / MARK).exists()
