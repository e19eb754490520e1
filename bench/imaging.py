"""Images as the steps speak of them: a DRIMbox of the network asks a Source for a series."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bench.administration import Administration
from bench.gate import SECURITY
from bench.imagery import add_series, alterations, load_exam
from bench.outcomes import CannotVerify, NotMet
from bench.preloading import preload
from bench.publishing import Publishing
from bench.story import PlannedExam, Story
from protocols import jose
from protocols.dicom import read_texts, split_part10
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest
from protocols.multipart import header
from simulators.igc import CredentialFiles
from simulators.peer import Manners, Retrieved

__all__ = ["Imaging"]

_NOT_FOUND = 404
_NOT_ACCEPTABLE = 406
_GONE = 410
_SOP_INSTANCE = 0x00080018
_OTHER_PATIENT_IDS = b"\x10\x00\x02\x10SQ"


@dataclass(slots=True)
class Imaging:
    """A DRIMbox of the network, on the white list unless told otherwise, and what it got."""

    story: Story
    publishing: Publishing
    answer: Retrieved | None = None
    twins: list[Retrieved] = field(default_factory=list)
    _asked: range = range(0)
    """Where in the feed the exchanges of the answer are."""

    # -- Étant donné -------------------------------------------------------------------------

    def publish(self, exam: PlannedExam) -> None:
        """The exam is in the PACS and its KOS in the DMP: published, or preloaded where the
        profile says that images are tested so.

        Raises:
            CannotVerify: the Source under test does not publish it, or cannot be preloaded.
        """
        stage = self.story.stage
        if stage.profile.source.start == "xdm" and stage.info.domain in ("images", SECURITY):
            preload(self.publishing, exam)
            return
        self.publishing.send()
        try:
            self.publishing.expect_published(1)
        except Exception as error:
            raise CannotVerify(f"l'examen n'a pas pu être publié : {error}") from error

    # -- Quand -------------------------------------------------------------------------------

    def ask(
        self,
        *,
        series: str | None = None,
        study: str | None = None,
        below: str = "",
        manners: Manners | None = None,
        papers: CredentialFiles | None = None,
        without_papers: bool = False,
    ) -> Retrieved:
        """One request, kept as the answer; `below` is what follows the series in its path."""
        feed = self.story.stage.feed
        begun = feed.mark()
        self.answer = self._get(series, study, manners, papers, without_papers, below)
        self._asked = range(begun, feed.mark())
        return self.answer

    def ask_wrongly(
        self,
        *,
        series: str | None = None,
        study: str | None = None,
        below: str = "",
        manners: Manners | None = None,
        papers: CredentialFiles | None = None,
        without_papers: bool = False,
    ) -> None:
        """The wrong request between two right ones, each on a connection of its own."""
        self.twins = [self._get(None, None, None, None, False)]
        self.ask(
            series=series,
            study=study,
            below=below,
            manners=manners,
            papers=papers,
            without_papers=without_papers,
        )
        self.twins.append(self._get(None, None, None, None, False))

    def ask_beside(self, other: PlannedExam, kos_uid: str) -> None:
        """The exam's first series, under its first KOS, between two right requests for another
        exam of the same service, whose KOS is given.
        """

        def twin() -> Retrieved:
            manners = Manners(token=self.token(), kos_uid=kos_uid)
            return self._get(other.series[0].uid, other.study_uid, manners, None, False)

        before = twin()
        self.ask()
        self.twins = [before, twin()]

    def ask_capabilities(self) -> None:
        """OPTIONS on the service root, without token."""
        bed = self.story.bed
        self.story.rely_on_white_list()
        host = bed.site.names.source
        peer = bed.peer(bed.papers.clients["peer"])
        self.answer = bed.call(peer.capabilities, f"https://{host}/drimbox/rs")

    def add_series(self) -> str:
        """One more series comes into the PACS, which the KOS does not reference; its UID.

        It comes into the exam; of a native product, which must publish it then (DB.SO.27), into
        another exam that has no report.
        """
        if self.story.native:
            other = self.story.plan(self.exam.modality)
            load_exam(self.story.archive, other, self.story.patient)
            return other.series[0].uid
        uid = self.story.case.uid("la série ajoutée")
        self.story.stage.publish_case()
        add_series(self.story.archive, self.exam, self.story.patient, uid)
        return uid

    def good_manners(self) -> Manners:
        """A valid token and the KOS in force."""
        return Manners(token=self.token(), kos_uid=self.manifest.sop_instance)

    def token(self, *, reader: str = "", **wrong: object) -> str:
        """An access token of the radiologist, or one wrong in one way; attributed to us."""
        bed = self.story.bed
        token = bed.psc.issue(
            bed.psc.professional(reader or bed.site.reader),
            bed.site.peer_client,
            **wrong,  # type: ignore[arg-type]
        )
        claims = jose.read(token).claims
        number = sum(key.startswith("le jeton") for key in self.story.case.identifiers) + 1
        self.story.case.identifiers[f"le jeton {number}"] = str(claims.get("jti", ""))
        self.story.stage.publish_case()
        return token

    def _get(
        self,
        series: str | None,
        study: str | None,
        manners: Manners | None,
        papers: CredentialFiles | None,
        without_papers: bool,
        below: str = "",
    ) -> Retrieved:
        bed, exam = self.story.bed, self.exam
        self.story.rely_on_white_list()
        shown = None if without_papers else papers or bed.papers.clients["peer"]
        url = self.url(study or exam.study_uid, series or exam.series[0].uid)
        return bed.call(bed.peer(shown).retrieve, url + below, manners or self.good_manners())

    def url(self, study: str, series: str) -> str:
        """The RetrieveURL of the published KOS, made to name that study and series.

        Raises:
            CannotVerify: it is no address: the KOS is wrong, and nothing is known of the images.
        """
        one = self.manifest.series()[0]
        url = one.retrieve_url or ""
        if not url.startswith("https://"):
            raise CannotVerify(f"le RetrieveURL du KOS publié n'est pas une adresse https : {url}")
        return url.replace(self.exam.study_uid, study).replace(one.series_uid, series)

    # -- Alors -------------------------------------------------------------------------------

    def instances(self) -> set[str]:
        """The SOPInstanceUIDs that came."""
        return {self.instance_in(part.head) for part in self.answered().parts}

    def expect_series(self) -> None:
        """All the images that the KOS lists in the first series, each once, and nothing else."""
        answer = self.answered()
        wanted = {
            instance.sop_instance
            for series in self.manifest.series()
            if series.series_uid == self.exam.series[0].uid
            for instance in series.instances
        }
        got = [self.instance_in(part.head) for part in answer.parts]
        self.story.stage.expect(
            "la Source rend toutes les images de la série et rien d'autre",
            answer.status in (200, 206)
            and answer.complete
            and set(got) == wanted
            and len(got) == len(wanted),
            expected=f"200 et {len(wanted)} images",
            actual=f"{self.summary(answer)}, {len(set(got) & wanted)} attendue(s)",
            exchanges=self._exchanges(),
        )

    def expect_served(self) -> None:
        """Images came; whether all of them is for `expect_series` to say."""
        answer = self.answered()
        self.story.stage.expect(
            "la Source rend des images",
            answer.images > 0,
            expected="200 et des images",
            actual=self.summary(answer),
            exchanges=self._exchanges(),
        )

    def expect_refused(self) -> None:
        """4xx or handshake refused, no image, between two good requests that were served.

        Raises:
            CannotVerify: the good ones are not served either: that is no refusal.
        """
        stage, answer = self.story.stage, self.answered()
        for place, twin in zip(("avant", "après"), self.twins, strict=True):
            if not twin.images or not twin.complete:
                raise CannotVerify(
                    f"la demande conforme, {place}, n'est pas servie : {self.summary(twin)}"
                )
        stage.expect(
            "la demande fautive est refusée",
            answer.refused and not answer.parts,
            expected="refus de la connexion TLS ou HTTP 4xx, sans image",
            actual=self.summary(answer),
            exchanges=self._exchanges(),
        )

    def expect_withdrawn(self) -> None:
        """Refused, by a status that says what became of the exam, and without a word of whom it
        was about.

        Réf.: a later request gets a precise answer (ANS FAQ on the life cycle of a KOS, grade:
        faq); 410 or 404 (PS3.18 table 10.4.3-1, grade: standard).
        """
        self.expect_refused()
        answer, patient = self.answered(), self.story.patient
        words = (patient.ins, patient.ipp)
        known = (*(one.value for one in words if one), patient.family)
        told = [one for one in known if one in answer.text]
        self.story.stage.expect(
            "le refus dit que l'examen n'est plus là, et rien du patient",
            answer.status in (_NOT_FOUND, _GONE) and not told,
            expected="HTTP 410, ou 404, sans INS, IPP ni nom",
            actual=f"{self.summary(answer)}, {len(told)} donnée(s) du patient",
            exchanges=self._exchanges(),
        )

    def expect_introspected(self) -> None:
        """PSC was asked about the token that was presented."""
        self.story.stage.await_exchanges(
            "introspection", "la Source a fait vérifier le jeton par Pro Santé Connect"
        )

    def expect_ins(self) -> None:
        """Each image carries the patient's INS in OtherPatientIDsSequence."""
        ins = self.story.patient.ins
        assert ins is not None
        answer = self._served()
        right = [
            part
            for part in answer.parts
            if ins.value.encode() in self._other_ids(part.head)
            and ins.oid.encode() in self._other_ids(part.head)
        ]
        self.story.stage.expect(
            "chaque image porte l'INS du patient dans OtherPatientIDsSequence",
            len(right) == len(answer.parts),
            expected=f"{ins.value} ({ins.oid}) dans {len(answer.parts)} images",
            actual=f"{len(right)} image(s)",
        )

    def expect_unaltered(self) -> None:
        """Apart from OtherPatientIDsSequence, each data set is the PACS's."""
        bed, answer = self.story.bed, self._served()
        altered = [
            differences
            for part in answer.parts
            if (differences := alterations(part.head, bed.pacs, self.instance_in(part.head)))
        ]
        self.story.stage.expect(
            "rien d'autre n'est modifié dans les images",
            not altered,
            expected="les mêmes éléments que dans le PACS, hors OtherPatientIDsSequence",
            actual="; ".join(altered[:3]) or "identiques",
        )

    def expect_syntax(self, transfer_syntax: str) -> None:
        """Every part is in that transfer syntax, in its header and in its file."""
        answer = self._served()
        said = {header(part.headers, "Content-Type").replace(" ", "") for part in answer.parts}
        used = self.syntaxes_used()
        self.story.stage.expect(
            "la syntaxe de transfert est celle attendue, dite et employée",
            used == {transfer_syntax}
            and all(value.endswith(f"transfer-syntax={transfer_syntax}") for value in said),
            expected=transfer_syntax,
            actual=f"fichiers : {', '.join(sorted(used))} ; en-têtes : {', '.join(sorted(said))}",
        )

    def syntaxes_used(self) -> set[str]:
        """Those of the images that came, as their files say, "illisible" for what cannot be read.

        Raises:
            CannotVerify, NotMet: as there are none.
        """
        return {self._syntax(part.head) for part in self._served().parts}

    def expect_traced(self) -> None:
        """The access is in the audit trail."""
        self.administration.expect(
            "audit",
            "l'accès est tracé",
            lambda row: (
                str(row.get("event", "")).startswith("ITI-43")
                and self.exam.study_uid in str(row)
                and row.get("EventOutcomeIndicator") == 0
            ),
            expected="un événement ITI-43 d'issue 0 qui nomme l'examen",
        )

    def expect_capabilities(self) -> None:
        """A description of the service, in WADL or JSON."""
        answer = self.answered()
        kind = {name.lower(): value for name, value in answer.headers}.get("content-type", "")
        self.story.stage.expect(
            "la Source décrit son service",
            answer.status == 200 and ("wadl" in kind or "json" in kind) and bool(answer.text),
            expected="200, WADL ou JSON (PS3.18 8.9)",
            actual=f"{self.summary(answer)} {kind}",
        )

    # -- reading -----------------------------------------------------------------------------

    @property
    def exam(self) -> PlannedExam:
        """The exam of this scenario."""
        return self.story.exams[0]

    @property
    def manifest(self) -> Manifest:
        """The KOS in force.

        Raises:
            CannotVerify: none was published.
        """
        found = self.publishing.manifests()
        if not found:
            raise CannotVerify("aucun KOS publié")
        return found[0]

    @property
    def administration(self) -> Administration:
        """The Source's pages."""
        return Administration(self.story.bed.source.get("admin", ""), self.story.stage)

    def stale_manners(self) -> Manners:
        """The KOS identifier that a former version would have had."""
        return replace(self.good_manners(), kos_uid=self.story.case.uid("un KOS périmé"))

    def answered(self) -> Retrieved:
        """The answer that was kept.

        Raises:
            CannotVerify: nothing was asked for.
        """
        if self.answer is None:
            raise CannotVerify("aucune demande n'a été faite")
        return self.answer

    def _served(self) -> Retrieved:
        """The answer, when there are images to look at.

        Raises:
            CannotVerify: there are none, and that is another requirement's affair.
            NotMet: there are none because of their transfer syntax (406).
        """
        answer = self.answered()
        if answer.status == _NOT_ACCEPTABLE:
            raise NotMet(f"aucune syntaxe ne convient à la Source : {self.summary(answer)}")
        if not answer.parts:
            raise CannotVerify(f"aucune image n'est rendue : {self.summary(answer)}")
        return answer

    def _exchanges(self) -> list[str]:
        """Those of the request that was kept, not of its twins."""
        seen = self.story.stage.seen("WADO-RS", "TLS")
        return [one.id for one in seen if one.serial in self._asked]

    @staticmethod
    def summary(answer: Retrieved) -> str:
        """What became of a request, in a few words of French."""
        if answer.status is None:
            return f"pas de réponse HTTP ({answer.tls_reason or answer.reason})"
        tail = "" if answer.complete else ", réponse tronquée"
        return f"HTTP {answer.status}, {len(answer.parts)} image(s){tail}"

    @staticmethod
    def instance_in(head: bytes) -> str:
        """The SOPInstanceUID of the file that begins so, "" when it cannot be read."""
        try:
            part10 = split_part10(head)
            return read_texts(
                part10.dataset, transfer_syntax=part10.transfer_syntax, tags=(_SOP_INSTANCE,)
            ).get(_SOP_INSTANCE, "")
        except RemoteProtocolError:
            return ""

    @classmethod
    def _syntax(cls, head: bytes) -> str:
        """The syntax that a file says and in which it can be read."""
        try:
            said = split_part10(head).transfer_syntax
        except RemoteProtocolError:
            return "illisible"
        return said if cls.instance_in(head) else f"{said} (illisible)"

    @staticmethod
    def _other_ids(head: bytes) -> bytes:
        """The bytes that follow the sequence's tag: enough to look for two values."""
        at = head.find(_OTHER_PATIENT_IDS)
        return head[at : at + 512] if at >= 0 else b""
