"""Sources whose viewer believes the link of a report, or whoever follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from drimbox_ref.psc_login import Grant
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Archive, Examinations, Guests, Links, ViewerPages
from drimbox_ref.source.renewal import orders_of
from drimbox_ref.source.values import ArchiveEntry, EntryState
from drimbox_ref.source.viewer_link import Link, LinkRefused
from drimbox_ref.source.viewer_pages import opening
from drimbox_ref.source.viewer_people import People, Person
from drimbox_ref.trail import AuditEvent
from drimbox_ref.viewer.page import Opening
from mutants.registry import mutant
from mutants.source.traces import Edited
from protocols import kos

__all__: list[str] = []

_MANY = 10_000
_UNAVAILABLE = 503
_USAGE = b"Usage non diagnostique"


class Reading:
    """`Links` that read a link as they should."""

    def __init__(self, inner: Links) -> None:
        self._inner = inner

    def read(self, query: str) -> Link | LinkRefused:
        """As it should."""
        return self._inner.read(query)


class Mended(Reading):
    """`Links` that put right what a link says before they look at it."""

    def __init__(self, inner: Links, mend: Callable[[Link, ArchiveEntry], Link]) -> None:
        super().__init__(inner)
        self._mend = mend

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """As it should, of the link that it would rather have."""
        current = archive.current(link.study)
        better = link if current is None else self._mend(link, current)
        return self._inner.decide(better, archive=archive, examinations=examinations)


@mutant(
    "lien-accession-non-compare",
    breaks="La visionneuse ne compare pas le numéro d'accession du lien à celui du PACS.",
    requirements=("DB.VI-SO.33",),
    consequences=("DB.VI_SO.28", "DB.SO.47"),
)
def any_accession(parts: Parts) -> Parts:
    """The study is enough to find the exam."""

    def mend(link: Link, current: ArchiveEntry) -> Link:
        (first, *_) = orders_of(kos.decode(current.kos))
        return replace(link, accession=first.accession)

    return replace(parts, links=Mended(parts.links, mend))


@mutant(
    "lien-compte-rendu-non-compare",
    breaks="La visionneuse ouvre l'examen quel que soit le compte rendu que nomme le lien.",
    requirements=("DB.VI_SO.28",),
    consequences=("DB.VI-SO.33", "DB.SO.47"),
)
def any_report(parts: Parts) -> Parts:
    """The parameter is taken for a reference that people read."""

    def mend(link: Link, current: ArchiveEntry) -> Link:
        return replace(link, report=current.reports[0])

    return replace(parts, links=Mended(parts.links, mend))


class ByReport(Reading):
    """`Links` that find the exam by the report, when the study leads nowhere."""

    def __init__(self, inner: Links) -> None:
        super().__init__(inner)

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """The exam of that report, whatever the study is said to be."""
        found = self._inner.decide(link, archive=archive, examinations=examinations)
        if not isinstance(found, LinkRefused):
            return found
        return next(
            (
                one
                for one in archive.everything(_MANY)
                if link.report in one.reports and one.state is not EntryState.DEPUBLISHED
            ),
            found,
        )


@mutant(
    "lien-examen-non-compare",
    breaks="La visionneuse retrouve l'examen par le compte rendu du lien, sans comparer studyUID.",
    requirements=("DB.VI-SO.33", "DB.VI_SO.28"),
    consequences=("DB.SO.47",),
)
def any_study(parts: Parts) -> Parts:
    """So that a link that was cut by hand still opens."""
    return replace(parts, links=ByReport(parts.links))


class Stumbling(Reading):
    """`Links` that did not foresee an address written by hand."""

    def read(self, query: str) -> Link | LinkRefused:
        """As it should, when all is there."""
        found = super().read(query)
        return replace(found, status=500) if isinstance(found, LinkRefused) else found

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """As it should."""
        return self._inner.decide(link, archive=archive, examinations=examinations)


@mutant(
    "lien-mal-ecrit-en-panne",
    breaks="Un lien mal écrit fait une erreur interne de la visionneuse.",
    requirements=("DB.VI_SO.28",),
    consequences=("DB.VI_SO.07",),
)
def stumbling(parts: Parts) -> Parts:
    """Links come from reports, which are right."""
    return replace(parts, links=Stumbling(parts.links))


class Undying(Reading):
    """`Links` that look at what the PACS has, not at what was withdrawn."""

    def __init__(self, inner: Links) -> None:
        super().__init__(inner)

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """A depublished exam as if it were in force."""
        found = self._inner.decide(link, archive=archive, examinations=examinations)
        current = archive.current(link.study)
        withdrawn = current is not None and current.state is EntryState.DEPUBLISHED
        return current if withdrawn and current is not None else found


@mutant(
    "lien-depublie-ouvert",
    breaks="Le lien d'un compte rendu annulé mène encore à l'examen dépublié.",
    requirements=("DB.VI_SO.28",),
    consequences=("DB.SO.97",),
)
def undying(parts: Parts) -> Parts:
    """The images are in the PACS all the same."""
    return replace(parts, links=Undying(parts.links))


class Mute(Reading):
    """`Links` that refuse without a word."""

    def __init__(self, inner: Links) -> None:
        super().__init__(inner)

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """As it should, but for the message."""
        found = self._inner.decide(link, archive=archive, examinations=examinations)
        return replace(found, status=500) if isinstance(found, LinkRefused) else found


@mutant(
    "lien-refuse-en-panne",
    breaks="Des identifiants incohérents dans le lien font une erreur interne de la visionneuse.",
    requirements=("DB.VI_SO.28",),
    consequences=("DB.VI-SO.33", "DB.SO.47", "DB.SO.97"),
)
def breaks_down(parts: Parts) -> Parts:
    """Nobody thought of a wrong link."""
    return replace(parts, links=Mute(parts.links))


class Anybody:
    """`Guests` who need not log in."""

    def __init__(self, inner: Guests) -> None:
        self._inner = inner
        self._anonymous: Person | None = None

    def recognise(self, cookie: str, people: People) -> Person | None:
        """Who logged in, else one and the same guest."""
        known = self._inner.recognise(cookie, people)
        if known is not None:
            return known
        if self._anonymous is None or people.find(self._anonymous.id) is None:
            now = datetime.now(UTC)
            nothing = Grant(
                access_token="", expires=now, refresh_token="", id_token="", subject="",
                authenticated=now,
            )  # fmt: skip
            self._anonymous = people.welcome("", "Visiteur", nothing)
        return self._anonymous


@mutant(
    "visionneuse-sans-connexion",
    breaks="La visionneuse montre l'examen à qui suit le lien, sans l'authentifier.",
    requirements=("DB.VI_SO.08", "DB.VI_SO.09"),
    consequences=(
        "DB.VI_SO.07", "DB.VI_SO.28", "DB.VI-SO.33", "DB.VI-CS.26", "DB.VI-CS.29", "DB.SO.46",
        "DB.SO.47", "DB.SO.97",
    ),
)  # fmt: skip
def for_anybody(parts: Parts) -> Parts:
    """Who holds the report may see its images."""
    return replace(parts, guests=Anybody(parts.guests))


class Changed:
    """`ViewerPages`, some of them changed."""

    def __init__(
        self,
        inner: ViewerPages,
        *,
        profile: Callable[[Link], Response] | None = None,
        patient: Callable[[Link], Response] | None = None,
        change: Callable[[Response], Response] = lambda page: page,
        opening: Callable[[Opening], Opening] = lambda one: one,
    ) -> None:
        self._inner = inner
        self._profile = profile
        self._patient = patient
        self._change = change
        self._opening = opening

    def profile(self, link: Link) -> Response:
        """Or what comes instead."""
        return self._profile(link) if self._profile else self._inner.profile(link)

    def patient(self, link: Link) -> Response:
        """Or what comes instead."""
        return self._patient(link) if self._patient else self._inner.patient(link)

    def exam(self, person: Person, entry: ArchiveEntry) -> Response:
        """Changed."""
        return self._change(self._inner.exam(person, entry))

    def images(self, opening: Opening) -> Response:
        """Changed."""
        return self._change(self._inner.images(self._opening(opening)))


@mutant(
    "visionneuse-sans-profil",
    breaks="La visionneuse envoie à Pro Santé Connect sans demander qui suit le lien.",
    requirements=("DB.VI_SO.08",),
    consequences=("DB.VI_SO.07", "DB.VI_SO.09", "DB.VI_SO.28", "DB.VI-SO.33", "DB.VI-CS.26",
                  "DB.VI-CS.29", "DB.SO.46", "DB.SO.47", "DB.SO.97"),
)  # fmt: skip
def no_question(parts: Parts) -> Parts:
    """Patients were forgotten."""
    pages = Changed(
        parts.viewer_pages,
        profile=lambda link: RedirectResponse(f"/connexion?{link.query}", status_code=303),
    )
    return replace(parts, viewer_pages=pages)


@mutant(
    "visionneuse-patient-sur-parole",
    breaks="Qui se dit patient voit l'examen du lien, sans être authentifié.",
    requirements=("DB.VI_SO.08",),
)
def at_their_word(parts: Parts) -> Parts:
    """Who else would have the report?"""

    def patient(link: Link) -> Response:
        current = parts.archive.current(link.study)
        if current is None:
            return parts.viewer_pages.patient(link)
        return parts.viewer_pages.images(opening(current))

    return replace(parts, viewer_pages=Changed(parts.viewer_pages, patient=patient))


class Surprised(Reading):
    """`Links` that did not foresee a PACS that does not answer."""

    def __init__(self, inner: Links) -> None:
        super().__init__(inner)

    def decide(
        self, link: Link, *, archive: Archive, examinations: Examinations
    ) -> ArchiveEntry | LinkRefused:
        """As it should, but for a PACS that is silent."""
        found = self._inner.decide(link, archive=archive, examinations=examinations)
        silent = isinstance(found, LinkRefused) and found.status == _UNAVAILABLE
        return LinkRefused(status=500, message="Internal error.") if silent else found


@mutant(
    "lien-pacs-muet-en-panne",
    breaks="Un PACS qui ne répond pas fait une erreur interne de la visionneuse.",
    requirements=("DB.VI_SO.28",),
)
def surprised(parts: Parts) -> Parts:
    """The PACS always answered in the laboratory."""
    return replace(parts, links=Surprised(parts.links))


def _unmarked(page: Response) -> Response:
    headers = {name: value for name, value in page.headers.items() if name != "content-length"}
    return Response(bytes(page.body).replace(_USAGE, b""), page.status_code, headers)


@mutant(
    "visionneuse-sans-mention",
    breaks="Ni la page de l'examen ni la visionneuse ne dit que l'usage n'est pas diagnostique.",
    requirements=("DB.VI-CS.26",),
    consequences=("DB.VI_SO.07", "DB.VI_SO.08", "DB.VI_SO.09", "DB.VI-CS.29"),
)
def unmarked(parts: Parts) -> Parts:
    """There was no room for it."""
    return replace(parts, viewer_pages=Changed(parts.viewer_pages, change=_unmarked))


@mutant(
    "visionneuse-sans-matricule",
    breaks="La visionneuse ouverte par un lien ne montre nulle part le matricule INS du patient.",
    requirements=("DB.VI-CS.29",),
    consequences=("DB.VI_SO.07", "DB.VI_SO.08", "DB.VI_SO.09", "DB.VI-CS.26"),
)
def no_ins(parts: Parts) -> Parts:
    """The name is enough."""
    pages = Changed(parts.viewer_pages, opening=lambda opening: replace(opening, details=()))
    return replace(parts, viewer_pages=pages)


def _untold(event: AuditEvent) -> AuditEvent | None:
    return None if event.event == "IID" else event


@mutant(
    "lien-sans-trace",
    breaks="Ce qu'un lien de compte rendu ouvre, ou n'ouvre pas, n'est pas tracé.",
    requirements=("DB.SO.46", "DB.SO.47"),
)
def untraced(parts: Parts) -> Parts:
    """Only what other DRIMboxes ask for is."""
    return replace(parts, audit=Edited(parts.audit, _untold))


def _logged_in_only(event: AuditEvent) -> AuditEvent | None:
    return None if event.event == "IID" and not event.subject else event


@mutant(
    "lien-sans-trace-avant-connexion",
    breaks="Un lien suivi par quelqu'un qui ne s'authentifie pas ne laisse aucune trace.",
    requirements=("DB.SO.46",),
)
def untraced_visit(parts: Parts) -> Parts:
    """Nothing was shown, nothing is to be told."""
    return replace(parts, audit=Edited(parts.audit, _logged_in_only))
