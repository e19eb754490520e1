"""The world around a Consumer as real services in one loop, the box itself in the same one.

The Source is `simulators.peer.PeerSource`: what it serves, right or wrong, is up to the test.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w
from anyio.from_thread import BlockingPortal
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from drimbox_ref.consumer.compose import assemble, build_parts
from drimbox_ref.consumer.config import load
from drimbox_ref.consumer.service import Consumer
from protocols.dicom import split_part10
from protocols.ebrim import Code
from protocols.whitelist import Domain
from simulators import ans, api_psc, dmp, pacs, psc
from simulators.ans import service as ans_service
from simulators.dmp import Patient
from simulators.igc import Pki
from simulators.modality import exam as modality
from simulators.modality import images
from simulators.peer import Offer, PeerSource, entry_of, manifest_of
from simulators.user import User, UserConfig
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.exchange import Exchange
from wire.http_client import HttpClient
from wire.tls import ClientTls, ServerTls

INS = "279035121518989"
OID = "1.2.250.1.213.1.4.10"
IPP = "LOCAL-77"
WEB = "consumer.drimbench.test"
SOURCE = "db4.drimbench.test"
STRANGER = "db9.drimbench.test"
RADIOLOGIST = "899700990016"
TWO_SITES = "899700990032"
GENERALIST = "899700990024"
DEADLINE = 20.0

NUMBERS = itertools.count(1)

CALL = {
    "Patient.identifier.value": INS,
    "Patient.identifier.system": OID,
    "Patient.name.family": "PAT-TROIS",
    "Patient.name.given": "DOMINIQUE",
    "Patient.gender": "F",
    "Patient.birthDate": "19790328",
    "Address.district": "51215",
    "InformationEtConsentement": "oui",
    "PatientID": IPP,
    "PatientIDIssuer": "CLINIQUE&1.2.250.1.999.9&ISO",
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Bed:
    """The services, the box and what they observed."""

    directory: Path
    exchanges: list[Exchange] = field(default_factory=list)
    uuids: random.Random = field(default_factory=lambda: random.Random(7))
    options: dict[str, str] = field(default_factory=dict)
    """Of the box's configuration."""
    reached: dict[str, str] = field(default_factory=dict)
    """How PSC reaches the box."""
    ins: str = INS
    """The patient of the test: one of its own, so that exams do not pile up on one page."""

    async def start(self) -> None:
        directory = self.directory
        self.pki = Pki.create(clock=now, crl_url="http://127.0.0.1:9/x.crl")
        self.trust = self.pki.write(directory)
        self.server = self.pki.server("localhost", WEB, SOURCE, STRANGER).write(directory, "server")
        self.client = self.pki.auth_cli("kit-consumer", "318751275100020").write(
            directory, "client"
        )
        self.structures = {
            ou: self.pki.auth_cli("KIT-DRIMBOX", ou) for ou in ("10B9900015", "10B9900023")
        }
        signer = self.pki.sign("KIT Liste Blanche", "318751275100020")
        self.ans = ans.Ans(signer=ans.Signer(signer.key, signer.certificate), clock=now)
        self.list_hosts(SOURCE)
        tls = ServerTls(self.server.certificate, self.server.key)
        mutual = ServerTls(
            self.server.certificate, self.server.key, self.trust.igc_trust, "required"
        )
        self.ans_server = await ans_service.start(self.ans, observe=self.observe, tls=tls)
        self.psc = psc.build(
            psc.PscConfig(
                tls=ServerTls(
                    self.server.certificate, self.server.key, self.trust.igc_trust, "optional"
                ),
                key=rsa.generate_private_key(65537, 2048),
                clock=now,
                rng=random.Random(3),
                logout_tls=ClientTls(self.trust.market_trust),
                connect_to=self.reached,
                clients=(
                    psc.Client(
                        client_id="kit-consumer",
                        redirect_uris=(f"https://{WEB}/callback",),
                        ciba=True,
                        backchannel_logout_uri=f"https://{WEB}/psc/logout",
                    ),
                    psc.Client(client_id="kit-api-psc"),
                ),
            ),
            self.observe,
        )
        await self.psc.start()
        server, igc = self.server, self.trust.igc_trust
        shown = self.pki.auth_cli("kit-api-psc", "3" + "0" * 14).write(directory, "api-psc")
        self.api = api_psc.build(
            api_psc.ApiPscConfig(
                tls=ServerTls(server.certificate, server.key, igc, "required"),
                key=rsa.generate_private_key(65537, 2048),
                clock=now,
                rng=random.Random(4),
                clients=tuple(
                    api_psc.ApiClient(client_id=f"lps-{ou}", dns=(one.dn,))
                    for ou, one in self.structures.items()
                ),
                psc_issuer=lambda: self.psc.issuer,
                psc_tls=ClientTls(self.trust.market_trust, shown.certificate, shown.key),
            ),
            self.observe,
        )
        await self.api.start()
        self.dmp = dmp.build(
            dmp.DmpConfig(
                tls=mutual,
                trust=dmp.Trust(
                    roots=(self.pki.igc_root,),
                    intermediates=(self.pki.igc_intermediate,),
                    crls=lambda: [x509.load_der_x509_crl(self.pki.crl())],
                ),
                database=directory / "dmp.sqlite",
                clock=now,
                uuid=lambda: uuid.UUID(int=self.uuids.getrandbits(128), version=4),
                api=dmp.ApiAccess(keys=lambda: self.api.keys, issuer=lambda: self.api.issuer),
            ),
            self.observe,
        )
        await self.dmp.start()
        self.pacs = pacs.build(pacs.PacsConfig(ae_title="LOCAL"), self.observe)
        self.pacs.start()
        self.source, self.stranger = PeerSource(), PeerSource("étranger")
        addresses = {
            SOURCE: await self.source.start(observe=self.observe, tls=mutual),
            STRANGER: await self.stranger.start(observe=self.observe, tls=mutual),
        }
        self.config = directory / "consumer.toml"
        self.config.write_bytes(tomli_w.dumps(self.configuration(addresses)).encode())
        self.box = await self.make_box()

    async def make_box(self) -> Consumer:
        config = load(self.config)
        foundation, self.parts = build_parts(config)
        box = assemble(foundation, self.parts, config, self.directory / "ready.json")
        self.addresses = await box.start()
        self.reached[WEB] = self.addresses["web"]
        return box

    def configuration(self, addresses: dict[str, str]) -> dict[str, Any]:
        directory = self.directory
        (directory / "state").mkdir(exist_ok=True)
        structures = []
        for number, (structure, held) in enumerate(self.structures.items()):
            auth = held.write(directory, f"auth{number}")
            sign = self.pki.sign("KIT-DRIMBOX", structure).write(directory, f"sign{number}")
            structures.append(
                {
                    "id": structure,
                    "auth_certificate": str(auth.certificate),
                    "auth_key": str(auth.key),
                    "sign_certificate": str(sign.certificate),
                    "sign_key": str(sign.key),
                }
            )
        market, igc = str(self.trust.market_trust), str(self.trust.igc_trust)
        certificate = {
            "certificate": str(self.client.certificate),
            "key": str(self.client.key),
            "trust": market,
        }
        return {
            "box": {"name": "consumer", "state": str(directory / "state"), "seed": 5},
            "identity": {
                "installation_oid": "1.2.250.1.999.50",
                "uid_root": "1.2.250.1.999.50",
                "lps_name": "DRIMbox d'essai",
                "lps_version": "1",
                "lps_id": "KIT-1",
                "lps_homologation": "KIT-0",
            },
            "web": {
                "public_url": f"https://{WEB}",
                "certificate": str(self.server.certificate),
                "key": str(self.server.key),
            },
            "admin": {},
            "psc": {"issuer": self.psc.issuer, "client_id": "kit-consumer", **certificate},
            "dmp": {"url": self.dmp.url, "trust": market, "structures": structures},
            "api_psc": {
                "url": self.dmp.api_url,
                "token_endpoint": self.api.token_endpoint,
                "trust": market,
                "client_id": "lps-kit",
            },
            "whitelist": {
                "url": self.ans_server.url + ans_service.WHITE_LIST_PATH,
                "trust": market,
                "igc_trust": igc,
                "signer_cn": "KIT Liste Blanche",
                "signer_ou": "318751275100020",
                "revocation": "off",
            },
            "wado": certificate,
            "local_pacs": {
                "ae_title": "LOCAL",
                "host": "127.0.0.1",
                "port": self.pacs.port,
                "calling_ae": "CONSUMER",
            },
            "connect_to": addresses,
            "options": {
                "emergency_modes": ["bris_de_glace"],
                "declare_authorisation": True,
                **self.options,
            },
        }

    async def stop(self) -> None:
        await self.box.stop()
        self.pacs.stop()
        for stop in (
            self.source.stop,
            self.stranger.stop,
            self.dmp.stop,
            self.api.stop,
            self.psc.stop,
            self.ans_server.stop,
        ):
            await stop()

    # -- what happened -----------------------------------------------------------------------

    def observe(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def counts(self) -> Counter[str]:
        return Counter(one.transaction for one in self.exchanges)

    async def admin(self, view: str) -> list[dict[str, Any]]:
        async with HttpClient(actor="test") as client:
            answer = await client.request("GET", f"http://{self.addresses['admin']}/admin/{view}")
        found: list[dict[str, Any]] = json.loads(answer.body)
        return found

    # -- what is set up ----------------------------------------------------------------------

    def list_hosts(self, *hosts: str) -> None:
        self.ans.publish(
            Domain(identifier=str(number), db=host, operator_dn="CN=x,C=FR")
            for number, host in enumerate(hosts)
        )

    def patient(self, **changes: Any) -> None:
        self.dmp.register_patient(
            Patient(matricule=self.ins, family="PAT-TROIS", given="DOMINIQUE", **changes)
        )

    def publish(
        self,
        study: str,
        *,
        host: str = SOURCE,
        series: int = 2,
        count: int = 3,
        ins: str = "",
        date: str = "20261120",
        served: int | None = None,
        version: int = 999,
        matrix: int = 32,
        transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN,
    ) -> str:
        """An exam in the DMP and at a Source; the KOS's uid, which ends by its version."""
        made = modality.Exam(
            patient=modality.Patient(name="PAT-TROIS^DOMINIQUE", patient_id="AILLEURS-1"),
            study_uid=study,
            accession="ACC-1",
            date=date,
            series=tuple(
                modality.Series(count=count, description=f"S{n}", transfer_syntax=transfer_syntax)
                for n in range(series)
            ),
            matrix=matrix,
        )
        files: dict[str, list[bytes]] = {made.series_uid(n): [] for n in range(series)}
        for number, file in enumerate(images.make(made)):
            files[made.series_uid(number // count)].append(file)
        kos_uid = f"{study}.{version}"
        source = self.source if host == SOURCE else self.stranger
        source.offer(
            Offer(
                study_uid=study,
                kos_uid=kos_uid,
                ins=ins or self.ins,
                ins_oid=OID,
                series={uid: tuple(one[:served]) for uid, one in files.items()},
            )
        )
        references = {
            uid: ("CT", tuple((p.sop_class, p.sop_instance) for p in map(split_part10, one)))
            for uid, one in files.items()
        }
        manifest = manifest_of(
            kos_uid=kos_uid,
            series_uid=f"{study}.998",
            study_uid=study,
            ins=self.ins,
            ins_oid=OID,
            patient_name="PAT-TROIS^DOMINIQUE",
            birth_date="19790328",
            sex="F",
            accession="ACC-1",
            accession_oid="1.2.250.1.999.8",
            placer="P-1",
            placer_oid="1.2.250.1.999.7",
            study_date=date,
            description="Scanner thoracique",
            host=host,
            series=references,
        )
        entry = entry_of(
            kos_uid=kos_uid,
            study_uid=study,
            ins=self.ins,
            ins_oid=OID,
            ipp="AILLEURS-1",
            ipp_oid="1.2.250.1.999.3",
            accession="ACC-1",
            accession_oid="1.2.250.1.999.8",
            modality="CT",
            started=datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC),
            published=now(),
        )
        self.dmp.deposit(entry, manifest, self.ins, OID)
        return kos_uid

    def report(
        self,
        uid: str,
        content: bytes,
        *,
        study: str = "",
        code: str = "18748-4",
        title: str = "Compte rendu de scanner",
        mime: str = "text/xml",
    ) -> None:
        """A document in the DMP that is no exam."""
        like = entry_of(
            kos_uid=uid,
            study_uid=study,
            ins=self.ins,
            ins_oid=OID,
            ipp="AILLEURS-1",
            ipp_oid="1.2.250.1.999.3",
            accession="ACC-R",
            accession_oid="1.2.250.1.999.8",
            modality="CT",
            started=now(),
            published=now(),
        )
        entry = replace(
            like,
            title=title,
            mime_type=mime,
            type_code=Code(code, "2.16.840.1.113883.6.1", "CR"),
            reference_ids=like.reference_ids[1:] if study else (),
        )
        self.dmp.deposit(entry, content, self.ins, OID)

    # -- the professional --------------------------------------------------------------------

    def user(self) -> User:
        return User(
            UserConfig(
                tls=ClientTls(self.trust.market_trust), connect_to={WEB: self.addresses["web"]}
            ),
            self.observe,
        )

    def call(self, **changes: str) -> dict[str, str]:
        """The parameters of a contextual call for the patient of the test."""
        changed = {name.replace("__", "."): text for name, text in changes.items()}
        return {**CALL, "Patient.identifier.value": self.ins, **changed}

    async def opened(self, professional: str = RADIOLOGIST, **changes: str) -> User:
        """A browser on the page of a patient, after call and login."""
        user = self.user()
        await user.call(f"https://{WEB}/drim", self.call(**changes))
        await user.login(professional)
        return user

    async def exported(self, user: User, number: int = 1) -> dict[str, Any]:
        """Ask for an export and wait for its end."""
        await user.submit(f"export-{number}")
        for job in self.parts.sessions.tasks():
            await asyncio.wait([job], timeout=DEADLINE)
        await user.reload()
        page = user.page.url
        answer = await user._client.request("GET", f"{page}/exports")
        found: list[dict[str, Any]] = json.loads(answer.body)["exports"]
        return next(one for one in found if one["exam"] == number)


class Sync:
    """A bed driven from synchronous tests."""

    def __init__(self, portal: BlockingPortal, bed: Bed) -> None:
        self.portal = portal
        self.bed = bed

    def opened(self, professional: str = RADIOLOGIST, **changes: str) -> User:
        async def run() -> User:
            return await self.bed.opened(professional, **changes)

        return self.portal.call(run)

    def exported(self, user: User) -> dict[str, Any]:
        return self.portal.call(self.bed.exported, user)

    def submit(self, user: User, form: str, **fields: str) -> None:
        async def run() -> None:
            await user.submit(form, fields)

        self.portal.call(run)

    def study(self, **options: Any) -> str:
        """A fresh exam of a patient who has nothing else."""
        study = f"1.2.250.1.999.30.{next(NUMBERS)}"
        self.bed.publish(study, **options)
        return study

    def searches(self, since: int, code: str = "IMG-KOS") -> list[Exchange]:
        """TD3.1 for documents of that typeCode."""
        return [
            one
            for one in self.bed.exchanges[since:]
            if one.transaction == "ITI-18"
            and one.request is not None
            and f"'{code}^^".encode() in one.request.body
        ]

    def since(self) -> int:
        return len(self.bed.exchanges)

    def asked(self, since: int) -> list[str]:
        return [one.transaction for one in self.bed.exchanges[since:] if one.transaction]
