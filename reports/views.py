"""What the page shows, computed before any template: numbered messages, matrix, marks, links.

Keys of `Run.meta` that the header knows: `product` (a name, or a mapping with `name`, `version`,
`vendor`), `profile` (a name, or a mapping with `name` and `sha256`), `floor`, `strict`, `claims`,
`version`, `python`, `platform`. `actors` maps names seen on the wire to actors, as `reports.flow`
tells. Any other key that says something is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bench.decisions import Attachment
from bench.gate import SECURITY
from bench.measured import Measure, measures
from bench.results import Expectation, RecordedExchange, Run, ScenarioResult, StepResult
from bench.verdicts import Verdict, merge
from reports.annotate.dispatch import Annotated, annotate
from reports.annotate.model import Facts, Fields, Node, Section, Tree
from reports.flow import Group, Message, condensed, messages
from reports.reproduce import Reproduction, reproductions
from reports.sequence import diagram
from reports.words import GRADES, duration, moment
from spec import socle
from spec.grade import Grade
from spec.requirements import CATALOGUE
from spec.security import ROWS, Judged, Row
from validators.finding import Finding, Severity

__all__ = [
    "AttackRow", "FindingView", "FlowView", "MatrixRow", "MessageView", "RunView", "ScenarioView",
    "SocleRow", "StepView", "draft_only", "lone", "product_name", "view",
]  # fmt: skip

_META = {
    "product": "Produit",
    "claims": "Revendications",
    "profile": "Profil",
    "neighbours": "Voisins réels",
    "floor": "Plancher de confiance",
    "strict": "Mode strict",
    "load": "Seuils de charge",
    "measured": "Mesures",
}
_ELSEWHERE = frozenset(
    {
        "actors",
        "challenges",
        "expected_failures",
        "platform",
        "python",
        "run",
        "secrets",
        "seed",
        "version",
    }
)


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding and the message that it bears on, when that message is in the page."""

    finding: Finding
    number: int | None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with what it awaited; `numbers` are the messages that met each expectation."""

    step: StepResult
    expectations: tuple[tuple[Expectation, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message: everything that its panel shows."""

    message: Message
    findings: tuple[Finding, ...]
    previous: int | None
    next: int | None

    def annotated(self) -> Annotated:
        """Its sections, made anew at each call: they weigh far more than the message itself."""
        return annotate(self.message.exchange)

    def marked(self, annotated: Annotated) -> frozenset[str]:
        """Paths of the fields, elements and headers that a finding points at."""
        places = [one.where for one in self.findings if one.where]
        if not places:
            return frozenset()
        sections = (*annotated.request, *annotated.response, *annotated.session)
        paths = [path for section in sections for path in _paths(section)]
        return frozenset(found for where in places for found in [_place(where, paths)] if found)


@dataclass(frozen=True, slots=True)
class FlowView:
    """The exchanges of a scenario, or the ambient ones."""

    items: tuple[Message | Group, ...]
    diagram: Markup
    messages: tuple[MessageView, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """A scenario ready to be shown."""

    anchor: str
    result: ScenarioResult
    steps: tuple[StepView, ...]
    findings: tuple[FindingView, ...]
    flow: FlowView
    draft_only: bool
    """It fails, and only texts of the 2023 draft say so."""
    again: tuple[Reproduction, ...]
    """Shell lines that show its failure on its own."""
    next_failure: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One requirement."""

    id: str
    title: str
    level: str
    verdict: Verdict
    sources: tuple[tuple[Grade, str], ...]
    """Grades, with their words, of the texts that carry it: catalogue and broken rules."""
    document: str
    draft_only: bool
    scenarios: tuple[ScenarioView, ...]
    inapplicable: str = ""
    """Why it does not bind the product, with the source of that."""


@dataclass(frozen=True, slots=True)
class AttackRow:
    """One row of the security catalogue, and what this run says of it."""

    row: Row
    verdict: Verdict
    scenarios: tuple[ScenarioView, ...]


@dataclass(frozen=True, slots=True)
class SocleRow:
    """One socle requirement, what this run says of it, and what a person attached."""

    row: socle.Row
    verdict: Verdict
    scenarios: tuple[ScenarioView, ...]
    """Those that carry it."""
    light: tuple[ScenarioView, ...]
    """Attacks that cast light on it."""
    files: tuple[tuple[str, tuple[Attachment, ...]], ...]
    """Proof id -> what was attached under it, for what a person proves."""
    inapplicable: str = ""
    """Why it does not bind the product, with the source of that."""


@dataclass(frozen=True, slots=True)
class RunView:
    """The whole page."""

    run: Run
    facts: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[Verdict, int], ...]
    transactions: tuple[tuple[str, int], ...]
    grades: tuple[tuple[str, int, int, int], ...]
    """Source in words, and how many errors, warnings and informations it gave."""
    matrix: tuple[MatrixRow, ...]
    attacks: tuple[AttackRow, ...]
    """The whole security catalogue, when its suite was played; else nothing."""
    socle: tuple[SocleRow, ...]
    """All socle requirements, when the run says something of one; else nothing."""
    features: tuple[tuple[str, tuple[ScenarioView, ...]], ...]
    failures: tuple[ScenarioView, ...]
    ambient: FlowView

    @property
    def scenarios(self) -> tuple[ScenarioView, ...]:
        """All scenarios in the order of the page."""
        return tuple(scenario for _, group in self.features for scenario in group)


def view(run: Run) -> RunView:
    """Everything that the templates need, in a fixed order."""
    features: dict[str, list[ScenarioResult]] = {}
    for result in run.scenarios:
        features.setdefault(result.feature, []).append(result)
    ordered = [result for group in features.values() for result in group]
    failing = [f"s{rank}" for rank, result in enumerate(ordered, 1) if _failed(result.verdict)]
    views: dict[str, ScenarioView] = {}
    aliases: Mapping[str, str] = run.meta.get("actors", {})
    number = 1
    for rank, result in enumerate(ordered, 1):
        anchor = f"s{rank}"
        later = [other for other in failing if int(other[1:]) > rank]
        following = later[0] if later else ""
        views[result.id] = _scenario(result, anchor, number, following, aliases)
        number += len(result.exchanges)
    return RunView(
        run=run,
        facts=_facts(run),
        verdicts=_counted(run),
        transactions=tuple(sorted(run.counts().items(), key=lambda pair: (-pair[1], pair[0]))),
        grades=_grades(run),
        matrix=_matrix(run, views),
        attacks=_attacks(run, views),
        socle=_socle(run, views),
        features=tuple(
            (feature, tuple(views[result.id] for result in group))
            for feature, group in features.items()
        ),
        failures=tuple(views[result.id] for result in ordered if _failed(result.verdict)),
        ambient=_flow(run.ambient, number, {}, (), "Échanges ambiants", aliases),
    )


def lone(message: Message, findings: tuple[Finding, ...] = ()) -> MessageView:
    """A message outside of any scenario."""
    return MessageView(message, findings, None, None)


def draft_only(result: ScenarioResult) -> bool:
    """Whether a scenario fails and nothing but the 2023 draft says that it should not."""
    if result.verdict is not Verdict.FAIL:
        return False
    grades = _error_grades(finding for _, finding in result.findings)
    unmet = [awaited for awaited in result.expectations if not awaited.met]
    for awaited in unmet:
        grades |= _known_grades(awaited.requirements or result.requirements)
    if not grades:
        grades = _known_grades(result.requirements)
    return grades == {Grade.DRAFT}


def _error_grades(findings: Iterable[Finding]) -> set[Grade]:
    return {finding.grade for finding in findings if finding.severity is Severity.ERROR}


def _known_grades(requirements: Iterable[str]) -> set[Grade]:
    return {CATALOGUE[one].grade for one in requirements if one in CATALOGUE}


def _failed(verdict: Verdict) -> bool:
    return verdict in (Verdict.FAIL, Verdict.XPASS, Verdict.ERROR, Verdict.UNKNOWN)


def product_name(meta: Mapping[str, Any]) -> str:
    """The name of what was tested, as the page's title says it."""
    product = meta.get("product")
    name = product.get("name") if isinstance(product, Mapping) else product
    return str(name or "DRIMbox testée")


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    meta = dict(run.meta)
    if (floor := meta.get("floor")) in list(Grade):
        meta["floor"] = f"{floor} ({GRADES[Grade(floor)]})"
    if load := meta.get("load"):
        meta["load"] = (
            f"{load['series_at_once']} séries à la fois, {load['throughput_mbps']:g} Mbit/s, "
            f"première image en {load['first_image_s']:g} s"
        )
        kept = [_measured(one) for one in measures(run)]
        meta["measured"] = " — ".join(kept) or "rien n'a été mesuré dans cette campagne"
    rows = [(label, _written(meta.pop(key))) for key, label in _META.items() if key in meta]
    rows += [
        ("Campagne", run.id),
        ("Début", moment(run.started)),
        ("Durée", duration(run.duration_s)),
        ("Graine", str(run.seed)),
    ]
    versions = [("drimbench", "version"), ("Python", "python"), ("", "platform")]
    told = ", ".join(f"{name} {meta[key]}".strip() for name, key in versions if key in meta)
    rows.append(("Versions", told))
    rest = ((str(k), _written(v)) for k, v in sorted(meta.items()) if k not in _ELSEWHERE)
    return tuple((name, value) for name, value in (*rows, *rest) if value)


def _measured(one: Measure) -> str:
    graded = one.grading.value if one.graded else "boîte et banc sur la même machine : non jugé"
    return f"{one.proof} : {one.told} ({graded} ; {one.limits})"


def _written(value: Any) -> str:
    match value:
        case bool():
            return "oui" if value else "non"
        case {"name": name, "sha256": digest, **rest} if not rest:
            return f"{name} (sha256 {str(digest)[:16]}…)"
        case {"name": name, **rest}:
            return ", ".join(str(part) for part in (name, *rest.values()) if part)
        case Mapping():
            return ", ".join(f"{key} : {_written(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(_written(inner) for inner in value)
        case _:
            return str(value)


def _counted(run: Run) -> tuple[tuple[Verdict, int], ...]:
    counts = dict.fromkeys(Verdict, 0)
    for result in run.scenarios:
        counts[result.verdict] += 1
    return tuple((verdict, count) for verdict, count in counts.items() if count)


def _grades(run: Run) -> tuple[tuple[str, int, int, int], ...]:
    rows = []
    found = [finding for result in run.scenarios for _, finding in result.findings]
    for grade, words in GRADES.items():
        of = [finding.severity for finding in found if finding.grade is grade]
        if of:
            rows.append((words, of.count(Severity.ERROR), of.count(Severity.WARNING),
                         of.count(Severity.INFO)))  # fmt: skip
    return tuple(rows)


def _matrix(run: Run, views: Mapping[str, ScenarioView]) -> tuple[MatrixRow, ...]:
    rows = []
    for requirement, results in sorted(run.requirements().items(), key=_natural):
        known = CATALOGUE.get(requirement)
        grades = _known_grades([requirement])
        for result in results:
            grades |= _error_grades(
                finding for _, finding in result.findings if requirement in finding.requirements
            )
        verdict = run.requirement_verdict(requirement)
        rows.append(
            MatrixRow(
                id=requirement,
                title=known.text if known else "",
                level=known.level if known else "",
                verdict=verdict,
                sources=tuple((grade, words) for grade, words in GRADES.items() if grade in grades),
                document=known.source if known else "",
                draft_only=verdict is Verdict.FAIL and grades == {Grade.DRAFT},
                scenarios=tuple(views[result.id] for result in results),
                inapplicable=run.inapplicable.get(requirement, ""),
            )
        )
    return tuple(rows)


def _attacks(run: Run, views: Mapping[str, ScenarioView]) -> tuple[AttackRow, ...]:
    """A row that no scenario of this run carries is for a person, or has not been played."""
    if not any(scenario.domain == SECURITY for scenario in run.scenarios):
        return ()
    rows = []
    for row in ROWS.values():
        played = [one for one in run.scenarios if row.requirement_id in one.requirements]
        if played:
            verdict = merge(one.verdict for one in played)
        else:
            verdict = Verdict.REVIEW if row.judged is Judged.REVIEW else Verdict.SKIP
        rows.append(AttackRow(row, verdict, tuple(views[one.id] for one in played)))
    return tuple(rows)


def _socle(run: Run, views: Mapping[str, ScenarioView]) -> tuple[SocleRow, ...]:
    """What a file proves is for whoever reads it: a scenario alone never settles such a row."""
    said = run.requirements().keys() | {one.proof for one in run.attachments}
    if not any(said.intersection((id, *row.proofs)) for id, row in socle.ROWS.items()):
        return ()
    return tuple(_socle_row(run, row, views) for row in socle.ROWS.values())


def _socle_row(run: Run, row: socle.Row, views: Mapping[str, ScenarioView]) -> SocleRow:
    own = [one for one in run.scenarios if row.requirement.id in one.requirements]
    light = [
        one for one in run.scenarios if one not in own and row.played.intersection(one.requirements)
    ]
    by_hand = row.manner not in (socle.Manner.SCENARIO, socle.Manner.NO_TEXT)
    inapplicable = run.inapplicable.get(row.requirement.id, "")
    if inapplicable or row.manner is socle.Manner.NO_TEXT:
        verdict = Verdict.OMIT
    else:
        said = [one.verdict for one in own] or ([] if by_hand else [Verdict.SKIP])
        verdict = merge([*said, Verdict.REVIEW] if by_hand else said)
    return SocleRow(
        row=row,
        verdict=verdict,
        scenarios=tuple(views[one.id] for one in own),
        light=tuple(views[one.id] for one in light),
        files=tuple(_files(run, row)) if by_hand else (),
        inapplicable=inapplicable,
    )


def _files(run: Run, row: socle.Row) -> Iterator[tuple[str, tuple[Attachment, ...]]]:
    """Per proof id, given or not; then what was given under the requirement's own."""
    for proof in dict.fromkeys((*row.proofs, row.requirement.id)):
        given = tuple(one for one in run.attachments if one.proof == proof)
        if given or proof in row.proofs:
            yield proof, given


def _natural(row: tuple[str, Any]) -> list[tuple[int, str]]:
    """Sorts `DB.SO.103` after `DB.SO.11`."""
    pieces = re.split(r"(\d+)", row[0])
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in pieces]


def _scenario(
    result: ScenarioResult,
    anchor: str,
    first_number: int,
    next_failure: str,
    aliases: Mapping[str, str],
) -> ScenarioView:
    steps = {step.index: f"{step.keyword.strip()} {step.text}" for step in result.steps}
    flow = _flow(result.exchanges, first_number, steps, result.findings, result.title, aliases)
    numbers = {shown.message.recorded.id: shown.message.number for shown in flow.messages}
    return ScenarioView(
        anchor=anchor,
        result=result,
        steps=tuple(
            StepView(
                step,
                tuple(
                    (awaited, tuple(numbers[one] for one in awaited.exchanges if one in numbers))
                    for awaited in result.expectations
                    if awaited.step == step.index
                ),
            )
            for step in result.steps
        ),
        findings=tuple(
            FindingView(finding, numbers.get(exchange)) for exchange, finding in result.findings
        ),
        flow=flow,
        draft_only=draft_only(result),
        again=reproductions(result),
        next_failure=next_failure,
    )


def _flow(
    recorded: Sequence[RecordedExchange],
    first_number: int,
    steps: Mapping[int, str],
    findings: Sequence[tuple[str, Finding]],
    title: str,
    aliases: Mapping[str, str],
) -> FlowView:
    by_exchange: dict[str, list[Finding]] = {}
    for exchange, finding in findings:
        by_exchange.setdefault(exchange, []).append(finding)
    items = condensed(messages(recorded, first_number, aliases), by_exchange)
    shown = [item for item in items if isinstance(item, Message)]
    numbers = [message.number for message in shown]
    marks = {exchange: _worst(of) for exchange, of in by_exchange.items() if _worst(of) != "info"}
    return FlowView(
        items=items,
        diagram=diagram(items, steps=steps, marks=marks, title=f"Diagramme de séquence : {title}"),
        messages=tuple(
            MessageView(
                message,
                tuple(by_exchange.get(message.recorded.id, ())),
                numbers[rank - 1] if rank else None,
                numbers[rank + 1] if rank + 1 < len(numbers) else None,
            )
            for rank, message in enumerate(shown)
        ),
        total=len(recorded),
    )


def _worst(findings: Iterable[Finding]) -> str:
    severities = {finding.severity for finding in findings}
    return next(str(one) for one in Severity if one in severities)


def _paths(section: Section) -> Iterable[str]:
    for block in section.blocks:
        match block:
            case Fields():
                yield from (row.path for row in block.rows)
            case Facts():
                yield from (row.name for row in block.rows)
            case Tree():
                yield from _node_paths(block.nodes)


def _node_paths(nodes: Iterable[Node]) -> Iterable[str]:
    for node in nodes:
        yield node.path
        yield from _node_paths(node.children)


def _place(where: str, paths: Iterable[str]) -> str:
    """The most precise shown path that holds `where`; a lone `[1]` may be written or not."""
    wanted = where.replace("[1]", "").lower()
    best = ""
    for path in paths:
        plain = path.replace("[1]", "").lower()
        holds = wanted == plain or wanted.startswith(
            (f"{plain}.", f"{plain}-", f"{plain}/", f"{plain}[")
        )
        if holds and len(path) > len(best):
            best = path
    return best
