"""`--at`, `--jwks`, `--trust`, `--profil`: each changes a verdict, and says what it cannot use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bench.errors import BenchError
from bench.verdicts import Verdict
from drimbench.crossing import cross_files
from drimbench.given import context_of
from drimbench.judging import judge_files
from validators.api import KINDS, Context
from validators.examples import cda, exam, kos, link, pki, psc, trust, vihf, whitelist, xds
from validators.examples.credential import NOW, authority
from validators.finding import Severity

HOST = "db900.test.mesimagesmedicales.fr"


def errors(kind: str, data: bytes, context: Context, folder: Path) -> set[str]:
    """Ids of the errors of `drimbench validate`."""
    file = folder / "artefact"
    file.write_bytes(data)
    (judged,) = judge_files([kind, str(file)], context=context)
    return {one.rule for one in judged.findings if one.severity is Severity.ERROR}


LATER = (NOW + timedelta(days=4000)).isoformat()


@pytest.mark.parametrize(
    ("kind", "make", "rule"),
    [
        ("certificat", pki.leaf, "CERT-040"),
        ("crl", pki.crl, "CRL-040"),
        ("jeton-psc", psc.token, "JETON-040"),
        ("introspection", psc.introspection, "INTRO-020"),
        ("liste-blanche", whitelist.white_list, "LB-061"),
        ("vihf", lambda: vihf.vihf(not_on_or_after=NOW + timedelta(minutes=5)), "VIHF-060"),
        ("vihf", vihf.vihf, "VIHF-062"),
        ("lot", KINDS["lot"].rules.good, "XDS-162"),
        ("iti-41", xds.iti41, "XDS-162"),
    ],
)
def test_an_instant_decides_of_validity(
    kind: str, make: Callable[[], bytes], rule: str, tmp_path: Path
) -> None:
    assert errors(kind, make(), context_of(), tmp_path) == set()
    assert errors(kind, make(), context_of(at=NOW.isoformat()), tmp_path) == set()
    assert rule in errors(kind, make(), context_of(at=LATER), tmp_path)


def test_what_is_still_to_come_is_not_valid(tmp_path: Path) -> None:
    before = context_of(at=(NOW - timedelta(minutes=1)).isoformat())
    for kind, make, rule in (
        ("vihf", vihf.vihf, "VIHF-060"),
        ("liste-blanche", whitelist.white_list, "LB-061"),
        ("lot", KINDS["lot"].rules.good, "XDS-162"),
    ):
        assert rule in errors(kind, make(), before, tmp_path)


def test_keys_verify_a_token(tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_bytes(psc.KEYS.jwks)
    forged = psc.token()[:-8] + b"AAAAAAAA"
    assert errors("jeton-psc", forged, context_of(), tmp_path) == set()
    assert errors("jeton-psc", forged, context_of(jwks=keys), tmp_path) == {"JETON-041"}
    assert errors("jeton-psc", psc.token(), context_of(jwks=keys), tmp_path) == set()


@pytest.mark.parametrize(
    ("kind", "make", "trusted", "rule"),
    [
        ("certificat", pki.leaf, pki.TRUST, "CERT-041"),
        ("crl", pki.crl, pki.TRUST, "CRL-041"),
        ("liste-blanche", whitelist.white_list, trust.LIST_TRUST, "LB-060"),
        ("vihf", vihf.vihf, trust.TRUST, "VIHF-061"),
        ("lot", KINDS["lot"].rules.good, trust.TRUST, "XDS-161"),
        ("iti-18", KINDS["iti-18"].rules.good, trust.TRUST, "VIHF-061"),
    ],
)
def test_authorities_decide_of_trust(
    kind: str, make: Callable[[], bytes], trusted: Context, rule: str, tmp_path: Path
) -> None:
    known, other = tmp_path / "known.pem", tmp_path / "other.pem"
    known.write_bytes(trusted.authorities)
    other.write_bytes(authority("AC ETRANGERE").public_bytes(Encoding.PEM))
    assert errors(kind, make(), context_of(trust=[known]), tmp_path) == set()
    assert errors(kind, make(), context_of(trust=[other]), tmp_path) == {rule}
    assert errors(kind, make(), context_of(trust=[other, known]), tmp_path) == set()


def test_many_authorities_are_all_trusted(tmp_path: Path) -> None:
    """A file of every authority of a country is read whole, not taken for none."""
    file = tmp_path / "all.pem"
    others = [authority(f"AC {n}").public_bytes(Encoding.PEM) for n in range(30)]
    file.write_bytes(b"".join(others))
    assert "CERT-041" in errors("certificat", pki.leaf(), context_of(trust=[file]), tmp_path)
    file.write_bytes(b"".join((*others, pki.TRUST.authorities)))
    assert errors("certificat", pki.leaf(), context_of(trust=[file]), tmp_path) == set()


def profile(folder: Path, text: str) -> Path:
    file = folder / "profil.toml"
    file.write_text(text, encoding="utf-8")
    return file


def local(scheme: str = "http", host: str = "localhost:4200") -> bytes:
    return kos.with_series(
        retrieve_url=f"{scheme}://{host}/studies/{kos.STUDY}/series/{kos.SERIES}"
    )


def authored(kind: str) -> bytes:
    """The publication by a DRIMbox or by a professional."""
    rule = KINDS["iti-41"].rules.rules["XDS-160"]
    return rule.bad() if kind == "drimbox" else rule.good()


@pytest.mark.parametrize(
    ("kind", "good", "bad", "table", "rule"),
    [
        ("kos", kos.kos, lambda: local("https"), f'[demands]\nimage_hosts = ["{HOST}"]', "KOS-063"),
        ("kos", kos.kos, lambda: local("https"), f'[source]\nhost = "{HOST}"', "KOS-063"),
        ("kos", kos.kos, lambda: local(host=HOST), '[demands]\nschemes = ["https"]', "KOS-065"),
        ("kos", lambda: local(host=HOST), kos.kos, '[demands]\nschemes = ["http"]', "KOS-065"),
        ("cda", lambda: cda.pdf_document(part="3", conformance="A"), cda.pdf_document,
         '[demands]\npdfa = ["3A"]', "CDA-085"),
        ("cda", cda.pdf_document, lambda: cda.pdf_document(part=""),
         '[demands]\npdfa = ["1B"]', "CDA-084"),
        ("lien-visionneuse", link.link,
         lambda: link.link(base="https://vi901.test.mesimagesmedicales.fr/IHEInvokeImageDisplay"),
         '[demands]\nviewer_hosts = ["vi900.test.mesimagesmedicales.fr"]', "LIEN-015"),
        ("lien-visionneuse", link.link,
         lambda: link.link(base="http://vi900.test.mesimagesmedicales.fr/IHEInvokeImageDisplay"),
         '[demands]\nschemes = ["https"]', "LIEN-001"),
        ("kos", kos.kos, lambda: kos.kos(transfer_syntax="1.2.840.10008.1.2"),
         '[options]\nkos_transfer_syntax = "1.2.840.10008.1.2.1"', "KOS-016"),
        ("kos", lambda: kos.kos(transfer_syntax="1.2.840.10008.1.2"), kos.kos,
         '[options]\nkos_transfer_syntax = "1.2.840.10008.1.2"', "KOS-016"),
        ("iti-41", lambda: authored("professional"), lambda: authored("drimbox"),
         '[options]\nauthor = "professional"', "XDS-160"),
        ("iti-41", lambda: authored("drimbox"), lambda: authored("professional"),
         '[options]\nauthor = "drimbox"', "XDS-160"),
        ("iti-41", xds.iti41, KINDS["iti-41"].rules.rules["XDS-084"].bad,
         '[options]\nstudy_uid_authority = ""', "XDS-084"),
        ("iti-41", xds.iti41, KINDS["iti-41"].rules.rules["XDS-078"].bad,
         '[options]\nevent_code_scheme = "value_set"', "XDS-078"),
        ("lot", KINDS["lot"].rules.good, KINDS["lot"].rules.rules["XDS-113"].bad,
         '[options]\nlot_algorithm = "rsa-sha256"', "XDS-113"),
        ("lot", KINDS["lot"].rules.rules["XDS-113"].bad, KINDS["lot"].rules.good,
         '[options]\nlot_algorithm = "rsa-sha1"', "XDS-113"),
        ("vihf", vihf.vihf, KINDS["vihf"].rules.rules["VIHF-010"].bad,
         '[options]\nsignature_algorithm = "rsa-sha256"', "VIHF-010"),
        ("vihf", KINDS["vihf"].rules.rules["VIHF-010"].bad, vihf.vihf,
         '[options]\nsignature_algorithm = "rsa-sha1"', "VIHF-010"),
        ("vihf", vihf.vihf, lambda: vihf.air({"VIHF_Version": ("4.0",)}),
         '[options]\nvihf_version = "3.0"', "VIHF-016"),
    ],
)  # fmt: skip
def test_what_a_profile_names_is_demanded(
    kind: str,
    good: Callable[[], bytes],
    bad: Callable[[], bytes],
    table: str,
    rule: str,
    tmp_path: Path,
) -> None:
    context = context_of(profile=profile(tmp_path, table))
    assert rule not in errors(kind, bad(), context_of(), tmp_path)
    assert rule in errors(kind, bad(), context, tmp_path)
    assert rule not in errors(kind, good(), context, tmp_path)


def test_hosts_schemes_and_pdfa_are_tolerated_unless_strict(tmp_path: Path) -> None:
    for kind, data, rule in (
        ("kos", local(), "KOS-063"),
        ("kos", local(host=HOST), "KOS-065"),
        ("cda", cda.pdf_document(part=""), "CDA-084"),
        ("lien-visionneuse", link.link(base="http://x.invalid/IHEInvokeImageDisplay"), "LIEN-001"),
    ):
        assert rule not in errors(kind, data, context_of(), tmp_path)
        assert rule in errors(kind, data, context_of(strict=True), tmp_path)


def test_a_profile_gives_its_floor_and_its_strictness(tmp_path: Path) -> None:
    written = profile(tmp_path, 'strict = true\nfloor = "sample"')
    assert context_of(profile=written).strict
    assert context_of(profile=written).floor == "sample"
    assert context_of(profile=written, floor=KINDS["kos"].rules.syntax.reference.grade).floor != (
        "sample"
    )


def test_an_unwritten_host_is_not_demanded(tmp_path: Path) -> None:
    assert not context_of(profile=profile(tmp_path, 'name = "x"')).demands.names("image_hosts")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-11-22", "fuseau"),
        ("2026-11-22T10:15:00", "fuseau"),
        ("demain", "ISO 8601"),
        ("2026-13-01T00:00:00Z", "ISO 8601"),
    ],
)
def test_an_instant_has_its_zone(text: str, reason: str) -> None:
    with pytest.raises(BenchError, match=reason) as refused:
        context_of(at=text)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("jwks", b'{"keys":\n [', ":2 : JSON attendu"),
        ("jwks", b"[]", "JWK Set"),
        ("jwks", b'{"keys": []}', "aucune"),
        ("jwks", b"\xff\xfe\x00", "JSON attendu"),
        ("trust", b"rien", "aucun"),
        ("trust", b"\n-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
         ":2 : attendu CERTIFICATE, trouvé PRIVATE KEY"),
        ("trust", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", ":1 : "),
        ("profile", b"name = ", "TOML invalide"),
        ("profile", b"[options]\nzork = '1'", "zork inconnue"),
        ("profile", b"[options]\nauthor = 'moi'",
         "attendu « drimbox », « professional », trouvé « moi »"),
        ("profile", b"[demands]\npdfa = ['PDF/A-1']", "demands.pdfa"),
        ("profile", b"[demands]\nschemes = ['ftp']", "demands.schemes"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_what_was_expected(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "donné"
    file.write_bytes(content)
    given = {name: [file] if name == "trust" else file}
    with pytest.raises(BenchError, match="donné") as refused:
        context_of(**given)
    assert reason in str(refused.value)
    with pytest.raises(BenchError, match="illisible"):
        context_of(**{name: [tmp_path / "absent"] if name == "trust" else tmp_path / "absent"})


def test_cross_judges_each_artefact_in_its_context(tmp_path: Path) -> None:
    folder = tmp_path / "exam"
    folder.mkdir()
    for name, data in exam.exam().items():
        (folder / name).write_bytes(data)
    bare, report = cross_files([str(folder)])
    assert bare.verdict is Verdict.PASS
    told = {one.rule for one in report.findings}

    stranger = tmp_path / "other.pem"
    stranger.write_bytes(authority("AC ETRANGERE").public_bytes(Encoding.PEM))
    known = tmp_path / "known.pem"
    known.write_bytes(trust.TRUST.authorities)
    hosts = profile(tmp_path, '[demands]\nimage_hosts = ["ailleurs.invalid"]')
    for context, rules in (
        (context_of(trust=[stranger]), {"VIHF-061", "XDS-161"}),
        (context_of(at=LATER), {"VIHF-062", "XDS-162"}),
        (context_of(profile=hosts), {"KOS-063"}),
        (context_of(trust=[known], at=NOW.isoformat()), set()),
        (replace(context_of(), strict=False), set()),
    ):
        judged, report = cross_files([str(folder)], context=context)
        assert {one.rule for one in report.findings} - told == rules
        assert judged.verdict is (Verdict.FAIL if rules else Verdict.PASS)
        assert all(str(folder) in one.where for one in report.findings if one.rule in rules)


def test_cross_verifies_the_tokens_beside(tmp_path: Path) -> None:
    folder = tmp_path / "exam"
    folder.mkdir()
    for name, data in exam.exam().items():
        (folder / name).write_bytes(data)
    (folder / "jeton.txt").write_bytes(psc.token()[:-8] + b"AAAAAAAA")
    keys = tmp_path / "jwks.json"
    keys.write_bytes(psc.KEYS.jwks)
    found = {one.rule for one in cross_files([str(folder)])[1].findings}
    assert "JETON-041" not in found
    found = {
        one.rule for one in cross_files([str(folder)], context=context_of(jwks=keys))[1].findings
    }
    assert "JETON-041" in found
