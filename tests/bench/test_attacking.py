"""What a refusal must not tell, and what an attacker shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.attackers import WORDS, made
from bench.attacking import leaks, told
from protocols.dn import DnError, dn, parse_dn
from simulators.igc import Pki
from simulators.igc.specimens import Structure
from simulators.peer import Retrieved, RetrievedPart


def answer(text: str = "", **headers: str) -> Retrieved:
    return Retrieved(
        status=403, text=text, headers=tuple((k.replace("_", "-"), v) for k, v in headers.items())
    )


@pytest.mark.parametrize(
    "right",
    [
        answer("Cette DRIMbox n'est pas dans la liste blanche DRIM-M."),
        answer('{"message": "Jeton refusé"}', Server="nginx"),
        answer("<p>Error: accès refusé</p>", Date="Mon, 23 Nov 2026 10:00:00 GMT"),
    ],
)
def test_a_plain_refusal_tells_nothing(right: Retrieved) -> None:
    assert leaks(right) == []


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (answer("Traceback (most recent call last):\n"), "pile"),
        (answer('  File "/srv/app.py", line 12, in get'), "pile"),
        (answer("\tat org.dcm4chee.Wado.get(Wado.java:118)"), "pile"),
        (answer("java.lang.NullPointerException: null"), "pile"),
        (answer("", Server="Jetty/9.4.12"), "version"),
        (answer("", X_Powered_By="PHP/8.1"), "version"),
        (answer("\0" * 128 + "DICM"), "DICOM"),
        (
            Retrieved(status=403, parts=(RetrievedPart(headers=(), size=1, sha256="", head=b""),)),
            "DICOM",
        ),
    ],
)
def test_what_tells_too_much(wrong: Retrieved, word: str) -> None:
    assert any(word in one for one in leaks(wrong))


def test_alert_status_and_challenge_are_told() -> None:
    refused = Retrieved(status=401, headers=(("www-authenticate", 'Bearer realm="x"'),))
    assert told(refused) == 'HTTP 401, 0 image(s), WWW-Authenticate: Bearer realm="x"'
    shut = Retrieved(status=None, tls_reason="TLSV1_ALERT_UNKNOWN_CA")
    assert "TLSV1_ALERT_UNKNOWN_CA" in told(shut)


PKI = Pki.create(
    clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:1/CRL/KIT-ACI-EL-ORG.crl"
)
WHO = Structure(cn="db1.drimbench.test", ou="300000000000001")
RIGHT = parse_dn(dn(PKI.auth_cli(WHO.cn, WHO.ou, key=PKI.throwaway_key).certificate))
SAME_NAME = {
    "signé par lui-même", "d'autorités de mêmes noms", "de signature", "d'usage serveur",
    "SERV SSL", "expiré", "pas encore valable", "d'une autorité en trop", "de clé RSA 1024",
    "signé par SHA-1", "d'extension critique inconnue", "sans son intermédiaire",
    "de la gamme de production", "de l'autorité des personnes", "d'une ancienne autorité",
}  # fmt: skip


@pytest.mark.parametrize("words", sorted(WORDS))
def test_the_fault_of_an_attacker_is_the_name_or_all_but_the_name(words: str) -> None:
    credential = made(PKI, words, WHO)
    try:
        name = parse_dn(credential.dn)
    except DnError:
        assert words not in SAME_NAME
        return
    assert (name == RIGHT) == (words in SAME_NAME)
