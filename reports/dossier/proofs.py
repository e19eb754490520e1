"""The proofs of a run by chapter and requirement: what each file says, before any template.

A requirement whose conformity scenario is public bears the proof ids of the drafts; of any other
one, a proof is what one of our scenarios shows of it, under an id of ours that begins with KIT-.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.decisions import Attachment
from bench.results import Expectation, Run, ScenarioResult, StepResult
from bench.verdicts import Verdict
from reports.dossier.traffic import exchange_path, slug
from reports.words import GRADES, SEVERITIES
from spec.requirements import CATALOGUE, Requirement

__all__ = ["Link", "Piece", "Proof", "Row", "ScenarioShown", "StepShown", "Told", "told"]

_UP: str = "../../../"
"""From `preuves/CHAPITRE/EXIGENCE/` to the dossier's own folder."""


@dataclass(frozen=True, slots=True)
class Link:
    """A file of the dossier."""

    href: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file that was attached."""

    href: str
    name: str
    size: int
    proof: str
    by: str
    utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One row of the table: step, action, expected, observed, proof."""

    number: int
    action: str
    expected: tuple[str, ...]
    observed: tuple[str, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioShown:
    """A scenario that shows something of the requirement."""

    id: str
    title: str
    verdict: Verdict
    reason: str
    steps: tuple[StepShown, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One file."""

    id: str
    path: str
    requirement: str
    level: str
    title: str
    chapter: str
    kind: str
    text_source: str
    verdict: Verdict
    inapplicable: str
    pieces: tuple[Piece, ...]
    scenarios: tuple[ScenarioShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A requirement in the summary."""

    requirement: str
    title: str
    text_source: str
    verdict: Verdict
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All proofs, and what is told of them together."""

    proofs: tuple[Proof, ...]
    chapters: tuple[tuple[str, tuple[Row, ...]], ...]
    missing: tuple[str, ...]
    """Proofs that a requirement of the run asks for and that nothing has given, in French."""


def told(run: Run, pieces: Mapping[Attachment, str]) -> Told:
    """The proofs of a run; `pieces` says where each attached file is in the dossier."""
    paths = {
        recorded.id: exchange_path(scenario.id, rank, recorded.exchange)
        for scenario in run.scenarios
        for rank, recorded in enumerate(scenario.exchanges, 1)
    }
    proofs: list[Proof] = []
    chapters: dict[str, list[Row]] = {}
    missing: list[str] = []
    for id, carriers in _requirements(run).items():
        own = list(_proofs_of(run, id, carriers, pieces, paths))
        proofs += own
        known = CATALOGUE.get(id)
        asked = known.proofs if known else ()
        given = {proof.id for proof in own}
        if run.requirement_verdict(id) is not Verdict.OMIT:
            missing += [f"{id} : {one.id} ({one.kind})" for one in asked if one.id not in given]
        chapters.setdefault(_chapter(id, known), []).append(
            Row(
                requirement=id,
                title=known.text if known else "",
                text_source=_source(known),
                verdict=run.requirement_verdict(id),
                links=tuple(Link(proof.path, proof.id) for proof in own),
            )
        )
    return Told(
        proofs=tuple(proofs),
        chapters=tuple((name, tuple(rows)) for name, rows in sorted(chapters.items())),
        missing=tuple(missing),
    )


def _requirements(run: Run) -> dict[str, list[ScenarioResult]]:
    """Those of the run, and those that only an attached file proves."""
    found = run.requirements()
    attached = {one.proof for one in run.attachments}
    for id, requirement in CATALOGUE.items():
        if id in attached or attached.intersection(proof.id for proof in requirement.proofs):
            found.setdefault(id, [])
    return dict(sorted(found.items()))


def _proofs_of(
    run: Run,
    id: str,
    carriers: Sequence[ScenarioResult],
    pieces: Mapping[Attachment, str],
    paths: Mapping[str, str],
) -> Iterator[Proof]:
    known = CATALOGUE.get(id)
    folder = f"preuves/{slug(_chapter(id, known))}/{slug(id)}"

    def proof(
        name: str, kind: str, scenarios: Sequence[ScenarioResult], attached: Sequence[str]
    ) -> Proof:
        return Proof(
            id=name,
            path=f"{folder}/{slug(name)}.html",
            requirement=id,
            level=known.level if known else "",
            title=known.text if known else "",
            chapter=_chapter(id, known),
            kind=kind,
            text_source=_source(known),
            verdict=run.requirement_verdict(id),
            inapplicable=run.inapplicable.get(id, ""),
            pieces=tuple(_pieces(run.attachments, attached, pieces)),
            scenarios=tuple(_scenario(one, name, paths) for one in scenarios),
        )

    if known is not None and known.proofs:
        for one in known.proofs:
            naming = [scenario for scenario in run.scenarios if _names(scenario, one.id)]
            shown = naming or list(carriers)
            about = [one.id, id, *(scenario.id for scenario in shown)]
            given = any(piece.proof in (one.id, id) for piece in run.attachments)
            if shown or given:
                yield proof(one.id, one.kind, shown, about)
        return
    own = id.removeprefix("KIT-")
    for scenario in carriers:
        name = f"KIT-{own}.{scenario.id}"
        yield proof(name, "étapes du scénario et échanges", [scenario], [id, scenario.id])
    if not carriers and (any(one.proof == id for one in run.attachments) or id in run.inapplicable):
        kind = "pièce jointe" if id not in run.inapplicable else "sans objet"
        yield proof(f"KIT-{own}", kind, [], [id])


def _names(scenario: ScenarioResult, proof: str) -> bool:
    return any(_about(awaited, proof) for awaited in scenario.expectations)


def _about(awaited: Expectation, proof: str) -> bool:
    return awaited.what.startswith(f"{proof} :")


def _pieces(
    attachments: Iterable[Attachment], proofs: Sequence[str], pieces: Mapping[Attachment, str]
) -> Iterator[Piece]:
    for one in attachments:
        if one.proof in proofs:
            yield Piece(
                href=_UP + pieces[one],
                name=one.name,
                size=one.size,
                proof=one.proof,
                by=one.by,
                utc=one.utc,
            )


def _scenario(scenario: ScenarioResult, proof: str, paths: Mapping[str, str]) -> ScenarioShown:
    """All its steps; when some await this very proof, what they await of others is left out."""
    mine = [awaited for awaited in scenario.expectations if _about(awaited, proof)]
    return ScenarioShown(
        id=scenario.id,
        title=scenario.title,
        verdict=scenario.verdict,
        reason=scenario.reason,
        steps=tuple(
            _step(step, mine or scenario.expectations, scenario, paths) for step in scenario.steps
        ),
        findings=tuple(
            dict.fromkeys(
                f"{SEVERITIES[finding.severity]}, {finding.rule} : {finding.message} "
                f"({GRADES[finding.grade]})"
                for _, finding in scenario.findings
            )
        ),
    )


def _step(
    step: StepResult,
    awaited: Sequence[Expectation],
    scenario: ScenarioResult,
    paths: Mapping[str, str],
) -> StepShown:
    own = [one for one in awaited if one.step == step.index]
    exchanges = [id for one in own for id in one.exchanges]
    exchanges += [one.id for one in scenario.exchanges if one.step == step.index]
    observed = [f"{'vu' if one.met else 'non vu'} : {one.actual or one.what}" for one in own]
    told = " : ".join(filter(None, (step.verdict.french, step.message)))
    return StepShown(
        number=step.index + 1,
        action=f"{step.keyword} {step.text}",
        expected=tuple(f"{one.what} : {one.expected}" if one.expected else one.what for one in own),
        observed=(*observed, told),
        links=tuple(
            Link(_UP + paths[id], paths[id].rpartition("/")[2])
            for id in dict.fromkeys(exchanges)
            if id in paths
        ),
    )


def _chapter(id: str, known: Requirement | None) -> str:
    if known is None:
        return "Hors catalogue"
    return "KIT" if known.own else known.family


def _source(known: Requirement | None) -> str:
    if known is None:
        return "exigence absente du catalogue"
    words = GRADES[known.grade]
    return f"texte officiel importé, {words}" if known.official else f"paraphrase, {words}"
