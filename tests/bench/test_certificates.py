"""A product that has certificates of its own: believed, listed, known by them, told when wrong."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomli_w
from cryptography import x509

from bench.campaign import Options, play
from bench.doctor import Given, State, examine
from bench.profile import ProfileError, read
from bench.standing import hand_over, standing
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from simulators.dmp import Trust
from simulators.igc import CredentialFiles, Pki
from tests.bench.test_external import set_up, written_profile
from wire.exchange import ignore

STRUCTURE, READER = "499700000000017", "10B9900099"


@dataclass(frozen=True)
class Owned:
    """Files of another authority, and a profile that says so."""

    profile: Path
    servers: dict[str, CredentialFiles]
    clients: dict[str, CredentialFiles]
    """By key of `[certificates]`."""

    def configure(self, boxes: Path) -> None:
        """Make the reference show these in place of what the bench issued."""
        source, consumer = self._read(boxes / "source.toml"), self._read(boxes / "consumer.toml")
        _show(source["wado"], self.servers["source"])
        _show(consumer["web"], self.servers["consumer"])
        _show(consumer["wado"], self.clients["consumer"])
        for role, box in (("source", source), ("consumer", consumer)):
            _show(box["psc"], self.clients[f"{role}_psc"])
            if role == "consumer":
                assert box["psc"]["client_id"] == "Consommatrice du site"
            auth, sign = self.clients[f"{role}_auth"], self.clients[f"{role}_sign"]
            box["dmp"]["structures"] = [
                {
                    "id": STRUCTURE if role == "source" else READER,
                    "auth_certificate": str(auth.certificate), "auth_key": str(auth.key),
                    "sign_certificate": str(sign.certificate), "sign_key": str(sign.key),
                }
            ]  # fmt: skip
            (boxes / f"{role}.toml").write_text(tomli_w.dumps(box))

    @staticmethod
    def _read(file: Path) -> dict[str, dict[str, object]]:
        return tomllib.loads(file.read_text())


def _show(table: dict[str, object], files: CredentialFiles) -> None:
    table["certificate"], table["key"] = str(files.certificate), str(files.key)


@pytest.fixture
def owned(tmp_path: Path) -> Owned:
    folder = tmp_path / "produit"
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://192.0.2.1/CRL/x.crl")
    trust = pki.write(folder)
    issued = {
        "source": pki.auth_cli("db1.site.test", STRUCTURE),
        "source_psc": pki.auth_cli("Source du site", STRUCTURE),
        "source_auth": pki.auth_cli("PUBLIE", STRUCTURE, "CLINIQUE DU SITE"),
        "source_sign": pki.sign("PUBLIE", STRUCTURE, "CLINIQUE DU SITE"),
        "consumer": pki.auth_cli("db2.site.test", READER),
        "consumer_psc": pki.auth_cli("Consommatrice du site", READER),
        "consumer_auth": pki.auth_cli("CONSULTE", READER, "CABINET DU SITE"),
        "consumer_sign": pki.sign("CONSULTE", READER, "CABINET DU SITE"),
    }
    clients = {key: credential.write(folder, key) for key, credential in issued.items()}
    hosts = {"source": "db1.drimbench.test", "consumer": "consumer.drimbench.test"}
    servers = {role: pki.server(host).write(folder, host) for role, host in hosts.items()}
    profile = written_profile(tmp_path)
    table = tomllib.loads(profile.read_text())
    # Beside the profile, as a person would write them.
    table["certificates"] = {
        "server_authorities": f"produit/{trust.market_trust.name}",
        "client_authorities": f"produit/{trust.igc_trust.name}",
        **{key: f"produit/{files.certificate.name}" for key, files in clients.items()},
    }
    profile.write_text(tomli_w.dumps(table))
    return Owned(profile, servers, clients)


@pytest.mark.slow
def test_it_publishes_serves_and_consults(owned: Owned) -> None:
    played = ("SCN-PUB-02", "SCN-IMG-02", "SCN-CON-02")
    with set_up(owned.profile, owned.configure):
        run = play(
            Options(
                features=FEATURES,
                steps=STEP_MODULES,
                runs=owned.profile.parent / "runs",
                profile=read(owned.profile),
                only=played,
            )
        )
        with standing(read(owned.profile), owned.profile.parent / "docteur", 1, ignore) as bed:
            checks = list(examine(bed, Given(), resolve=lambda host: set()))
    assert {one.id: one.verdict for one in run.scenarios} == dict.fromkeys(played, Verdict.PASS)
    assert {one.state for one in checks} == {State.GOOD}, checks
    assert any(one.name.startswith("certificates.source_sign CN=PUBLIE") for one in checks)


def test_what_the_bench_makes_of_them(owned: Owned, tmp_path: Path) -> None:
    with standing(read(owned.profile), tmp_path / "banc", 1, ignore) as bed:
        lines, _ = hand_over(bed, tmp_path / "banc")
        assert bed.simulators.ans is not None
        domains = bed.simulators.ans.white_list.domains
        listed = {one.operator_dn.partition(",")[0] for one in domains}
        assert (bed.site.structure.id, bed.site.structure.name) == (STRUCTURE, "CLINIQUE DU SITE")
        assert bed.site.reader_structure == READER
        bench = bed.papers.igc_trust.read_bytes()
    assert {"CN=db1.site.test", "CN=db2.site.test"} <= listed
    # What is handed over is the bench's alone: nothing of the product's comes back to it.
    assert (tmp_path / "banc/confiance/igc.pem").read_bytes() == bench
    values = {(one.who, one.what): one.value for one in lines}
    assert values["Source", "certificat vers PSC"].startswith("le sien : CN=Source du site")
    assert values["Source", "certificat db"] == "le sien, pour db1.drimbench.test"
    text = (tmp_path / "banc/flux.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    to_dmp = [one for one in rows if one["Vers"] == "DMP"]
    assert {one["Certificat du client"] for one in to_dmp} == {"du produit"}


def test_the_text_of_a_certificate_by_reference(
    owned: Owned, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = owned.clients["consumer"].certificate.read_text()
    monkeypatch.setenv("PRODUCT_CERTIFICATE", told)
    table = tomllib.loads(owned.profile.read_text())
    table["certificates"]["consumer"] = "env:PRODUCT_CERTIFICATE"
    owned.profile.write_text(tomli_w.dumps(table))
    assert read(owned.profile).certificates.name("consumer", "CN") == "db2.site.test"


def _key_alone(folder: Path, pki: Pki) -> str:
    return str(pki.auth_cli("X", STRUCTURE).write(folder, "seule").key)


def _expired(folder: Path, pki: Pki) -> str:
    return str(pki.auth_cli("X", STRUCTURE, expired=True).write(folder, "vieux").certificate)


def _strange(folder: Path, pki: Pki) -> str:
    return str(pki.auth_cli("X", STRUCTURE, issuer="market").write(folder, "autre").certificate)


def _none(folder: Path, pki: Pki) -> str:
    return "produit/absent.pem"


def _nothing(folder: Path, pki: Pki) -> str:
    (folder / "vide.pem").write_text("rien")
    return str(folder / "vide.pem")


def _rootless(folder: Path, pki: Pki) -> str:
    return _strange(folder, pki)


@pytest.mark.parametrize(
    ("key", "wrong", "told"),
    [
        ("source_psc", _key_alone, "un certificat .PEM. attendu .*une clé sans son certificat"),
        ("source_psc", _expired, "en vigueur attendu .*CN=X.*expiré le"),
        ("source_psc", _strange, "client_authorities répond attendu"),
        ("source_psc", _none, "absent.pem, illisible"),
        ("source_psc", _nothing, "vide.pem, rien de tel"),
        ("client_authorities", _rootless, "une autorité racine parmi elles attendu .*CN=X"),
        ("source_sign", _strange, "client_authorities répond attendu"),
    ],
)
def test_what_cannot_be_used(
    key: str, wrong: Callable[[Path, Pki], str], told: str, owned: Owned
) -> None:
    folder = owned.profile.parent / "produit"
    pki = Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://192.0.2.1/CRL/x.crl")
    table = tomllib.loads(owned.profile.read_text())
    table["certificates"][key] = wrong(folder, pki)
    owned.profile.write_text(tomli_w.dumps(table))
    with pytest.raises(ProfileError, match=f"« certificates.{key} » : {'.*' + told}"):
        read(owned.profile)


def test_certificates_that_contradict_each_other(owned: Owned) -> None:
    table = tomllib.loads(owned.profile.read_text())
    given = table["certificates"]
    changes = {
        "source_sign": ({"source_sign": given["consumer_sign"]}, f"OU={STRUCTURE}.*{READER}"),
        "consumer_auth": (
            {"consumer_auth": given["source_auth"], "consumer_sign": given["source_sign"]},
            "un autre CN que source_auth.*PUBLIE",
        ),
        "source": ({"client_authorities": ""}, "client_authorities, qui en réponde.*rien"),
    }
    for key, (changed, told) in changes.items():
        table["certificates"] = {**given, **changed}
        owned.profile.write_text(tomli_w.dumps(table))
        with pytest.raises(ProfileError, match=f"« certificates.{key} » : .*{told}"):
            read(owned.profile)


def test_a_product_without_crl_leaves_the_bench_s_own_in_force() -> None:
    """The DMP looks no certificate of the product's up, and every one of the bench's, even when
    both authorities have one name."""
    bench, product = (
        Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://192.0.2.1/CRL/x.crl")
        for _ in range(2)
    )
    lists = [x509.load_der_x509_crl(bench.crl())]
    trust = Trust(
        roots=(bench.igc_root, product.igc_root),
        crls=lambda: lists,
        unlisted=(product.igc_root, product.igc_intermediate),
    )
    assert trust.revocation(bench.sign("X", STRUCTURE).certificate) == lists
    assert trust.revocation(product.sign("X", STRUCTURE).certificate) is None
