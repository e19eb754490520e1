"""`drimbench pki`: right certificates of each profile, wrong ones that are refused, revocation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from typer.testing import CliRunner

from bench.verdicts import ExitCode
from drimbench.ending import Finished
from drimbench.pki_cli import pki
from protocols.pki import ChainError, extended_key_usage, key_usage, verify_chain
from simulators.igc import Pki
from simulators.igc.specimens import SPECIMENS
from spec.certificates import CLIENT_AUTH
from validators.api import Context, validate
from validators.finding import Severity


def run(*words: str) -> tuple[ExitCode, str]:
    result = CliRunner().invoke(pki, list(words), env={"COLUMNS": "200"})
    assert isinstance(result.exception, Finished), result.output
    return result.exception.code, result.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("pki") / "new"
    code, said = run("make", str(folder), "--cn", "db7.drimbench.test", "--ou", "10B0127189",
                     "--json")  # fmt: skip
    assert code is ExitCode.CONFORM
    return folder, json.loads(said)


def test_the_right_ones_pass_their_profile_and_each_wrong_one_is_refused(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, told = made
    assert [one["name"] for one in told["certificates"]] == [one.name for one in SPECIMENS]
    bundles = [folder / "igc-trust.pem", folder / "market-trust.pem"]
    crl = x509.load_der_x509_crl((folder / "KIT-ACI-EL-ORG.crl").read_bytes())
    for one in SPECIMENS:
        trusted = bundles[one.profile == "marche"].read_bytes()
        data = (folder / f"{one.name}.pem").read_bytes()
        context = Context(
            at=datetime.now(UTC), authorities=trusted, certificate_profile=one.profile
        )
        errors = [
            found.rule
            for found in validate(data, "certificat", context=context).findings
            if found.severity is Severity.ERROR
        ]
        leaf, *chain = x509.load_pem_x509_certificates(data)
        try:
            crls = [crl] if one.profile == "org-auth-cli" else None
            authorities = x509.load_pem_x509_certificates(trusted)
            verify_chain(leaf, chain, authorities[:1], datetime.now(UTC), crls)
            held = True
        except ChainError:
            held = False
        assert (held and not errors) == one.right, (one.name, errors)
        if one.revoked:
            assert not errors, "right in everything but that its authority took it back"
        assert load_pkcs12((folder / f"{one.name}.p12").read_bytes(), b"drimbench").key


def test_one_is_shown_against_the_profile_that_it_claims(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = made
    for one in SPECIMENS[:4]:
        trust = "market-trust.pem" if one.profile == "marche" else "igc-trust.pem"
        code, said = run("show", str(folder / f"{one.name}.pem"), "--trust", str(folder / trust),
                         "--json")  # fmt: skip
        assert (code, json.loads(said)["profile"]) == (ExitCode.CONFORM, one.profile), said
    code, said = run("show", str(folder / "rsa-1024.pem"), "--json")
    told = json.loads(said)
    assert code is ExitCode.FAIL
    assert told["extended_key_usage"] == [CLIENT_AUTH]
    assert told["findings"]
    assert "CN=db7.drimbench.test" in run("show", str(folder / "org-sign.pem"))[1]
    wrong = ("show", str(folder / "org-sign.pem"), "--profil", "autre")
    assert run(*wrong)[0] is ExitCode.USAGE
    assert run("show", str(folder / "absent.pem"))[0] is ExitCode.USAGE


def test_one_is_taken_back_and_whoever_serves_the_folder_says_so(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, told = made
    serving = Pki.create(clock=lambda: datetime.now(UTC), crl_url=told["crl"], keep=folder)
    serial = {one["name"]: int(one["serial"], 16) for one in told["certificates"]}

    def listed(data: bytes) -> set[int]:
        return {one.serial_number for one in x509.load_der_x509_crl(data)}

    assert listed(serving.crl()) == {serial["revoque"]}
    for new in (True, False):
        code, said = run("revoke", str(folder), "org-sign", "--json")
        assert (code, json.loads(said)["new"]) == (ExitCode.CONFORM, new)
        both = {serial["revoque"], serial["org-sign"]}
        assert listed(serving.crl()) == both
        assert listed((folder / "KIT-ACI-EL-ORG.crl").read_bytes()) == both
    assert run("revoke", str(folder), "marche")[0] is ExitCode.USAGE
    assert run("revoke", str(folder / "vide"), "org-sign")[0] is ExitCode.USAGE
    (folder / "revoques.txt").write_text("pas un numéro", encoding="utf-8")
    assert run("revoke", str(folder), "org-auth-cli")[0] is ExitCode.USAGE


def test_a_number_is_taken_back_for_a_reason_and_each_branch_has_its_list(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "pki"
    code, said = run("make", str(folder), "--json")
    assert code is ExitCode.CONFORM
    serial = {one["name"]: one["serial"] for one in json.loads(said)["certificates"]}
    keys = [*folder.glob("*.key")]
    assert len(keys) > len(SPECIMENS)
    assert {file.stat().st_mode & 0o777 for file in keys} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700

    def reasons(name: str) -> dict[int, str]:
        listed = x509.load_der_x509_crl((folder / f"{name}.crl").read_bytes())
        return {
            one.serial_number: one.extensions.get_extension_for_class(
                x509.CRLReason
            ).value.reason.value
            for one in listed
        }

    code, said = run("revoke", str(folder), serial["cpx"], "--motif", "superseded", "--json")
    told = json.loads(said)
    assert (code, told["authority"]) == (ExitCode.CONFORM, "standard-personnes")
    assert told["crl"] == str(folder / "KIT-ACI-ST-PP.crl")
    assert reasons("KIT-ACI-ST-PP") == {int(serial["cpx"], 16): "superseded"}
    unseen = "00:11:22:33:44:55:66:77:88"
    assert run("revoke", str(folder), unseen, "--autorite", "personnes")[0] is ExitCode.CONFORM
    assert reasons("KIT-ACI-EL-PP") == {int(unseen.replace(":", ""), 16): "keyCompromise"}
    assert run("revoke", str(folder), "personnes")[0] is ExitCode.CONFORM
    assert len(reasons("KIT-ACI-EL-PP")) == 2
    assert set(reasons("KIT-ACI-EL-ORG")) == {int(serial["revoque"], 16)}
    for wrong in (("--motif", "par caprice"), ("--autorite", "marche")):
        assert run("revoke", str(folder), unseen, *wrong)[0] is ExitCode.USAGE
    (folder / "ac-personnes.key").unlink()
    assert run("revoke", str(folder), unseen, "--autorite", "personnes")[0] is ExitCode.USAGE


def test_those_of_persons_and_of_production_carry_what_was_seen(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = made

    def leaf(name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificates((folder / f"{name}.pem").read_bytes())[0]

    def names(name: str) -> x509.SubjectAlternativeName:
        found = leaf(name).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return found.value

    def policy(name: str) -> str:
        found = leaf(name).extensions.get_extension_for_class(x509.CertificatePolicies).value
        return found[0].policy_identifier.dotted_string

    assert names("ps-signature").get_values_for_type(x509.RFC822Name)
    (principal,) = names("cpx")
    assert isinstance(principal, x509.OtherName)
    assert principal.value.endswith(b"@carte-cps.fr")
    assert len(leaf("cpx").subject.rdns[-1]) == 3, "name, forename and number in one part"
    assert extended_key_usage(leaf("cpx")) == {CLIENT_AUTH, "1.3.6.1.4.1.311.20.2.2"}
    assert key_usage(leaf("ps-signature")) == {"nonRepudiation"}
    assert policy("production") == "1.2.250.1.213.1.7.1.1.2.5.1"
    assert policy("production-sign") == "1.2.250.1.213.1.7.1.1.2.3.1"
    assert policy("cpx") == policy("org-sign") == "1.2.250.1.213.1.7.2.1.1.1.1"
    production = x509.load_pem_x509_certificates((folder / "production-trust.pem").read_bytes())
    now = datetime.now(UTC)
    verify_chain(leaf("production"), production[1:], production[:1], now)
    test = x509.load_pem_x509_certificates((folder / "igc-trust.pem").read_bytes())
    assert test[0].subject != production[0].subject
