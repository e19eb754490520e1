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
from protocols.pki import ChainError, verify_chain
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
