"""A synthetic run with one exchange of each kind that reports show, and a failure with findings."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items

from bench.results import Expectation, RecordedExchange, Run, ScenarioResult, StepResult
from bench.verdicts import Verdict
from protocols.multipart import Writer
from spec.grade import Grade
from validators.finding import Finding, Severity
from wire.exchange import Direction, Exchange, Outcome, Part, Payload, TlsInfo

BEGUN = datetime(2026, 11, 22, 9, 30, 0, 120000, tzinfo=UTC)
INS = "2800251215189" + "58"
STUDY = "2.25.329800735698586629295641978511506172918"


def jwt(subject: str = "899700000001") -> str:
    """Three base64url segments, as a token has."""

    def b64(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    claims = {"sub": subject, "typ": "Bearer", "jti": "0f6c", "exp": 1795340000}
    signature = hashlib.sha512(subject.encode()).digest() * 4
    header = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    return ".".join((b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()),
                     b64(signature)))  # fmt: skip


TOKEN = jwt()
COOKIE = "KEYCLOAK_SESSION=5f2b9f0a77d84c1d9a"

CDA = f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:ps3-20="urn:dicom-org:ps3-20">
<realmCode code="FR"/><id root="1.2.250.1.213.4.5.2.900"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="CR d'imagerie médicale"/>
<title>Compte rendu de scanner</title>
<inFulfillmentOf><order><id root="1.2.3" extension="OPN900"/>
<ps3-20:accessionNumber root="1.2.4" extension="ACC900"/></order></inFulfillmentOf>
<documentationOf><serviceEvent><id root="{STUDY}"/></serviceEvent></documentationOf>
<component><nonXMLBody><text mediaType="application/pdf" representation="B64">{"JVBERi0xLjQK" * 400}
</text></nonXMLBody></component></ClinicalDocument>""".encode()

ORU = "\r".join((
    r"MSH|^~\&|RIS_KIT|CLINIQUE A|DRIMBOX|CLINIQUE A|20261122103000+0100||ORU^R01^ORU_R01|RIS000001"
    "|T|2.5|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2",
    f"PID|1||{INS}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS~IPP900^^^RIS_KIT&1.2.5&ISO^PI||"
    "KIT-BOISVERT^ADELE^ADELE FLORE^^^^L||19800214|F|||^^^^^^BDL^^51215|||||||DA900^^^RIS_KIT^AN"
    "|||||||||||||N|PROV",
    "PV1|1|O|RADIO",
    "ORC|NW",
    "OBR|1|OPN900^RIS_KIT|FIL900^RIS_KIT|18748-4^CR d'imagerie médicale^LN",
    "OBX|1|ED|18748-4^CR d'imagerie médicale^LN||^TEXT^XML^Base64^"
    + base64.b64encode(CDA).decode() + "||||||F",
    "PRT||UC||SB^Send by^participation|899700000001^VALMONT^HONORE^^^^^^ASIP-SANTE-PS&"
    "1.2.250.1.71.4.2.1&ISO^D^^^RPPS|||CLINIQUE A^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG"
    "^^^890000001",
    "OBX|2|CE|MASQUE_PS^Masqué aux professionnels de Santé^MetaDMPMSS||"
    "N^^expandedYes-NoIndicator||||||F",
)).encode()  # fmt: skip

ACK = "\r".join((
    r"MSH|^~\&|DRIMBOX|CLINIQUE A|RIS_KIT|CLINIQUE A|20261122103001+0100||ACK^R01^ACK|DB1|T|2.5"
    "|||||FRA|UNICODE UTF-8",
    "MSA|AA|RIS000001",
)).encode()  # fmt: skip


def kos() -> bytes:
    """A small key object selection, as a Part 10 file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.59"
    meta.MediaStorageSOPInstanceUID = "2.25.77"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = "2.25.77"
    dataset.AccessionNumber = "ACC900"
    dataset.Modality = "KO"
    dataset.PatientName = "KIT-BOISVERT^ADELE"
    dataset.PatientID = "IPP900"
    dataset.StudyInstanceUID = STUDY
    image = Dataset()
    image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    image.ReferencedSOPInstanceUID = f"{STUDY}.1.1"
    series = Dataset()
    series.SeriesInstanceUID = f"{STUDY}.1"
    series.RetrieveURL = "https://db.kit.example/wado"
    series.ReferencedSOPSequence = Items([image])
    evidence = Dataset()
    evidence.StudyInstanceUID = STUDY
    evidence.ReferencedSeriesSequence = Items([series])
    dataset.CurrentRequestedProcedureEvidenceSequence = Items([evidence])
    written = BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def identifier() -> bytes:
    """The identifier of a C-FIND, implicit VR, as on the wire."""
    dataset = Dataset()
    dataset.QueryRetrieveLevel = "IMAGE"
    dataset.StudyInstanceUID = STUDY
    dataset.PatientID = ""
    written = BytesIO()
    dataset.save_as(written, implicit_vr=True, little_endian=True)
    return written.getvalue()


def iti41() -> tuple[str, bytes]:
    """Content-Type and body of a submission with its KOS."""
    writer = Writer("kit-limite")
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsa="http://www.w3.org/2005/08/addressing"><s:Header>'
        "<wsa:Action>urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b</wsa:Action>"
        "<wsa:MessageID>urn:uuid:9c5f2f5e-0000-4000-8000-000000000001</wsa:MessageID></s:Header>"
        '<s:Body><xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="urn:ihe:iti:xds-b:2007">'
        '<xdsb:Document id="Document01"><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include"'
        ' href="cid:kos@kit"/></xdsb:Document></xdsb:ProvideAndRegisterDocumentSetRequest></s:Body>'
        "</s:Envelope>"
    )
    body = (
        writer.begin_part([("Content-Type", "application/xop+xml; charset=UTF-8"),
                           ("Content-ID", "<root@kit>")])
        + writer.data(envelope.encode())
        + writer.begin_part([("Content-Type", "application/dicom"), ("Content-ID", "<kos@kit>"),
                             ("Content-Transfer-Encoding", "binary")])
        + writer.data(kos())
        + writer.end()
    )  # fmt: skip
    kind = (
        'multipart/related; type="application/xop+xml"; start="<root@kit>"; boundary="kit-limite"'
    )
    return kind, body


FAULT = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code>'
    b"<s:Value>s:Sender</s:Value><s:Subcode><s:Value>DMPInvalidCertificate</s:Value></s:Subcode>"
    b'</s:Code><s:Reason><s:Text xml:lang="fr">certificat de signature attendu</s:Text></s:Reason>'
    b"</s:Fault></s:Body></s:Envelope>"
)


def certificate(name: str) -> bytes:
    """A self-signed certificate, DER: the same bytes at every call would need a fixed key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([
        x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "318900000001"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
    ])  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0x5A17)
        .not_valid_before(BEGUN - timedelta(days=1))
        .not_valid_after(BEGUN + timedelta(days=700))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def exchange(at: float, lasted: float = 0.02, **fields: Any) -> Exchange:
    """An answered HTTP exchange unless told otherwise, `at` seconds after the run began."""
    known: dict[str, Any] = {
        "protocol": "HTTP", "actor": "dmp", "peer": "source", "direction": Direction.IN,
        "outcome": Outcome.ANSWERED, "connection": f"c-{at}", "utc": BEGUN + timedelta(seconds=at),
        "mono_start": 100 + at, "mono_end": 100 + at + lasted,
    }  # fmt: skip
    return Exchange(**(known | fields))


def recorded(
    id: str, made: Exchange, *, scenario: str | None = None, step: int | None = None,
    why: str = "nomme l'examen",
) -> RecordedExchange:  # fmt: skip
    return RecordedExchange(id=id, exchange=made, scenario=scenario, step=step, why=why)


def answer(status: str, body: bytes = b"", **head: str) -> Payload:
    pairs = [(name.replace("_", "-"), value) for name, value in head.items()]
    return Payload.whole(body, start_line=f"HTTP/1.1 {status}", head=pairs)


def request(line: str, body: bytes = b"", **head: str) -> Payload:
    pairs = [(name.replace("_", "-"), value) for name, value in head.items()]
    return Payload.whole(body, start_line=f"{line} HTTP/1.1", head=pairs)


def oru(at: float = 0.0, **fields: Any) -> Exchange:
    return exchange(at, 0.08, **{
        "protocol": "MLLP", "actor": "ris", "direction": Direction.OUT, "transaction": "ORU^R01",
        "request": Payload.whole(ORU), "response": Payload.whole(ACK),
    } | fields)  # fmt: skip


def c_find(at: float) -> Exchange:
    found = json.dumps({"0020000D": {"vr": "UI", "Value": [STUDY]},
                        "00100020": {"vr": "LO", "Value": ["IPP900"]}})  # fmt: skip
    return exchange(
        at, 0.03, protocol="DIMSE", actor="pacs", transaction="C-FIND",
        request=Payload.whole(identifier(), start_line="C-FIND-RQ", head=[
            ("AffectedSOPClassUID", "1.2.840.10008.5.1.4.1.2.2.1"), ("MessageID", "1"),
            ("CallingAETitle", "DRIMBOX")]),
        response=Payload.whole(f"{found}\n{found}\n".encode(), start_line="C-FIND-RSP",
                               head=[("Status", "0x0000"), ("Responses", "2")]),
    )  # fmt: skip


def submission(at: float, tls: TlsInfo) -> Exchange:
    kind, body = iti41()
    return exchange(
        at, 0.21, transaction="ITI-41", detail="TD2.1a", tls=tls,
        request=request("POST /si-dmp-server/v2/services/repository", body, Content_Type=kind),
        response=answer("500 Internal Server Error", FAULT,
                        Content_Type="application/soap+xml; charset=UTF-8"),
    )  # fmt: skip


def token(at: float, tls: TlsInfo) -> Exchange:
    granted = {"access_token": TOKEN, "refresh_token": jwt("refresh"), "expires_in": 120,
               "token_type": "Bearer", "id_token": jwt("id")}  # fmt: skip
    return exchange(
        at, actor="psc", peer="consumer", transaction="PSC-token", tls=tls,
        request=request(
            "POST /auth/realms/esante-wallet/protocol/openid-connect/token",
            b"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&client_id=KIT-CO"
            b"&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            Content_Type="application/x-www-form-urlencoded", Cookie=COOKIE,
        ),
        response=answer("200 OK", json.dumps(granted).encode(), Content_Type="application/json",
                        Set_Cookie=f"{COOKIE}; Path=/; Secure"),
    )  # fmt: skip


def wado(at: float, tls: TlsInfo) -> Exchange:
    kind = 'application/dicom; transfer-syntax="1.2.840.10008.1.2.1"'
    parts = tuple(
        Part(headers=(("Content-Type", kind),), size=526_000 + rank, head=kos(),
             sha256=hashlib.sha256(bytes([rank])).hexdigest())
        for rank in range(48)
    )  # fmt: skip
    streamed = Payload(
        start_line="HTTP/1.1 200 OK",
        head=(("Content-Type", 'multipart/related; type="application/dicom"; boundary=x'),),
        size=25_300_000, sha256="ab" * 32, parts=parts, truncated=True,
    )  # fmt: skip
    return exchange(
        at, 1.4, actor="source", peer="consumer", transaction="WADO-RS",
        tls=tls, response=streamed,
        request=request(f"GET /wado/studies/{STUDY}/series/{STUDY}.1",
                        Authorization=f"Bearer {TOKEN}", KOS_SOPInstanceUID="2.25.77"),
    )  # fmt: skip


def c_store(at: float) -> Exchange:
    return exchange(
        at, 0.004, protocol="DIMSE", actor="pacs", peer="consumer", transaction="C-STORE",
        request=Payload(head=(("AffectedSOPInstanceUID", f"{STUDY}.1.{int(at * 1000)}"),),
                        body=identifier(), size=526_336, sha256="cd" * 32, truncated=True),
        response=Payload(head=(("Status", "0x0000"),)),
    )  # fmt: skip


def refused(at: float) -> Exchange:
    return exchange(
        at, 0.006, protocol="TLS", actor="source", peer="127.0.0.1:51544", outcome=Outcome.REFUSED,
        transaction="TLS", reason="TLSV1_ALERT_UNKNOWN_CA",
        tls=TlsInfo(version="TLSv1.3", reason="TLSV1_ALERT_UNKNOWN_CA"),
    )  # fmt: skip


def step(index: int, keyword: str, text: str, verdict: Verdict = Verdict.PASS, message: str = "",
         at: float = 0.0, lasted: float = 0.1) -> StepResult:  # fmt: skip
    begun = BEGUN + timedelta(seconds=at)
    return StepResult(index=index, keyword=keyword, text=text, verdict=verdict, message=message,
                      started=begun, ended=begun + timedelta(seconds=lasted))  # fmt: skip


def _publication(tls: TlsInfo) -> ScenarioResult:
    id = "SCN-PUB-01"
    return ScenarioResult(
        id=id, title="Un compte rendu reçu publie un KOS par examen", feature="Publication",
        domain="source", requirements=("DB.SO.11", "DB.SO.12", "DB.SO.18", "DB.SO.19"),
        verdict=Verdict.FAIL, reason="Aucun KOS publié dans le délai.", duration_s=12.4,
        case={"patient": "KIT-BOISVERT ADELE", "matricule INS": INS, "IPP": "IPP900",
              "étude": STUDY},
        steps=(
            step(0, "Étant donné", "un patient dont l'INS est qualifiée", lasted=0.004),
            step(1, "Quand", "le RIS envoie le compte rendu d'un scanner", lasted=0.3),
            step(2, "Alors", "la DRIMbox acquitte le message", lasted=0.02),
            step(3, "Alors", "un KOS est publié dans le DMP", Verdict.FAIL,
                 "Rien n'est venu en 10 s.", lasted=10.0),
        ),
        expectations=(
            Expectation(scenario=id, step=2, what="un acquittement AA", met=True,
                        requirements=("DB.SO.11",), exchanges=("e1",), expected="AA", actual="AA"),
            Expectation(scenario=id, step=3, what="un dépôt ITI-41 accepté", met=False,
                        requirements=("DB.SO.12",), exchanges=("e3",), deadline_s=10.0,
                        expected="une réponse Success", actual="SOAP Fault DMPInvalidCertificate"),
        ),
        findings=(
            ("e3", Finding(rule="VIHF-003", severity=Severity.ERROR,
                           message="Le VIHF est signé par un certificat d'authentification.",
                           expected="certificat ORG SIGN", actual=f"ORG AUTH_CLI, jeton {TOKEN}",
                           where="Content-Type", spec="Volet Transport synchrone, 3.4",
                           grade=Grade.DRAFT, requirements=("DB.SO.19",))),
            ("e1", Finding(rule="HL7-021", severity=Severity.WARNING,
                           message="Fiabilité d'identité inattendue.", expected="VALI",
                           actual="PROV", where="PID-32[1]", spec="PAM France 2.11",
                           grade=Grade.STANDARD, requirements=("DB.SO.11",))),
        ),
        exchanges=(
            recorded("e1", oru(), scenario=id, step=1),
            recorded("e2", c_find(0.12), scenario=id, step=1),
            recorded("e3", submission(0.2, tls), scenario=id, step=1),
            recorded("e4", oru(3.0, outcome=Outcome.TIMED_OUT, response=None), scenario=id, step=3),
        ),
    )  # fmt: skip


def _consultation(tls: TlsInfo) -> ScenarioResult:
    id = "SCN-CON-01"
    stores = [recorded(f"s{rank}", c_store(24.0 + rank / 100), scenario=id, step=2)
              for rank in range(48)]  # fmt: skip
    return ScenarioResult(
        id=id, title="Le professionnel exporte une série vers son PACS", feature="Consultation",
        domain="consumer", requirements=("DB.SO.32", "DB.SO.33", "DB.CO.63"),
        verdict=Verdict.PASS, reason="", duration_s=4.2, case={"patient": "KIT-ORSINI BASILE"},
        steps=(
            step(0, "Étant donné", "un DMP ouvert qui contient un KOS"),
            step(1, "Quand", "le professionnel s'authentifie et choisit une série"),
            step(2, "Alors", "les images arrivent dans le PACS"),
        ),
        expectations=(
            Expectation(scenario=id, step=2, what="48 images rangées", met=True,
                        requirements=("DB.SO.32",), exchanges=("w1",)),
        ),
        findings=(),
        exchanges=(
            recorded("t1", token(20.0, tls), scenario=id, step=1),
            recorded("w1", wado(21.0, tls), scenario=id, step=1),
            recorded("i1", exchange(
                21.1, actor="psc", transaction="introspection",
                request=request("POST /introspect", b"token=" + TOKEN.encode(),
                                Content_Type="application/x-www-form-urlencoded"),
                response=answer("200 OK", b'{"active": true, "typ": "Bearer"}',
                                Content_Type="application/json"),
            ), scenario=id, step=1),
            *stores,
        ),
    )  # fmt: skip


def _other(id: str, title: str, verdict: Verdict, reason: str = "") -> ScenarioResult:
    return ScenarioResult(
        id=id, title=title, feature="Refus", domain="source", requirements=("DB.SO.38",),
        verdict=verdict, reason=reason, duration_s=0.8, case={},
        steps=(step(0, "Quand", "une DRIMbox présente un identifiant de KOS périmé", verdict),),
        expectations=(), findings=(), exchanges=(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def tls() -> TlsInfo:
    chain = (certificate("db-source.kit.example"),)
    return TlsInfo(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", peer_chain=chain,
                   server_name="dmp.kit.example")  # fmt: skip


@pytest.fixture(scope="session")
def run(tls: TlsInfo) -> Run:
    """A campaign that fails, with every verdict that a page must tell apart."""
    return Run(
        directory=Path("runs/20261122-093000"), id="20261122-093000", seed=20261122, started=BEGUN,
        duration_s=41.7, verdict=Verdict.FAIL,
        meta={"run": "20261122-093000", "seed": 20261122, "floor": "draft", "strict": False,
              "version": "0.1.0", "python": "3.11.2", "platform": "linux", "options": {},
              "product": {"name": "DRIMbox de référence", "version": "0.1", "vendor": ""},
              "claims": {"source": True, "consumer": True, "mode": "proxy"},
              "profile": {"name": "reference-embarquee", "sha256": "ab" * 32}},
        scenarios=(
            _publication(tls),
            _consultation(tls),
            _other("SCN-REF-01", "Un KOS périmé est refusé", Verdict.WARN,
                   "Refusé par 410 là où le texte nomme 404."),
            _other("SCN-REF-02", "Une série hors du KOS est refusée", Verdict.SKIP,
                   "Le KOS n'a pas pu être publié."),
            _other("SCN-REF-03", "Un jeton inconnu est refusé", Verdict.PASS),
        ),
        ambient=(recorded("a1", refused(5.0), why="ambiant"),),
        notes=("dmp-4211.ndjson : dernière ligne incomplète, ignorée",),
    )  # fmt: skip


class _World(SimpleNamespace):
    """Short in the reports of failing tests."""

    def __repr__(self) -> str:
        return "world"


@pytest.fixture(scope="session")
def world() -> SimpleNamespace:
    """The makers above, for tests that build their own exchanges."""
    return _World(
        ACK=ACK, CDA=CDA, COOKIE=COOKIE, FAULT=FAULT, ORU=ORU, STUDY=STUDY, TOKEN=TOKEN, jwt=jwt,
        answer=answer, c_find=c_find, c_store=c_store, exchange=exchange, identifier=identifier,
        iti41=iti41, kos=kos, oru=oru, recorded=recorded, refused=refused, request=request,
        submission=submission, token=token, wado=wado,
    )  # fmt: skip
