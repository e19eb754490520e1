"""The report of a run as one offline HTML file: no resource outside it, readable without script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from bench.results import Run
from reports import redact, words
from reports.annotate.dispatch import answer
from reports.flow import Message, actor_label
from reports.sequence import tone
from reports.views import RunView, product_name, view
from validators.finding import Cause
from wire.exchange import Outcome

__all__ = ["render", "write_html"]

_CAUSES = {
    Cause.BOX: "le produit",
    Cause.PROFILE: "le profil",
    Cause.MACHINE: "la machine",
    Cause.BENCH: "le banc",
}


def write_html(run: Run, target: Path) -> Path:
    """Write the page of a run and return its path. The same run gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(run), encoding="utf-8", newline="\n")
    return target


def render(run: Run) -> str:
    """The page of a run."""
    page = view(run)
    environment = _environment()
    style = _source(environment, "style.css") + _filters(page)
    script = _source(environment, "script.js")
    flows = [(scenario.anchor, scenario.flow) for scenario in page.scenarios]
    return environment.get_template("report.html.j2").render(
        page=page,
        product=product_name(run.meta),
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        bar=_bar(page),
        chart=_chart(page),
        total=sum(count for _, count in page.transactions),
        flows=[*flows, ("ambiants", page.ambient)],
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # The last barrier: whatever a template prints has lost its secrets.
        finalize=_masked,
    )
    environment.globals.update(
        symbols=words.SYMBOLS,
        sentences=words.SENTENCES,
        grades=words.GRADES,
        severities=words.SEVERITIES,
        causes=_CAUSES,
        moment=words.moment,
        clock=lambda when: words.moment(when, milliseconds=True).split(" ")[1],
        duration=words.duration,
        plural=words.plural,
        label=actor_label,
        tone=tone,
        issue=_issue,
    )
    return environment


def _masked(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return redact.text(value)
    return value


def _source(environment: jinja2.Environment, name: str) -> str:
    loader = environment.loader
    assert loader is not None
    return loader.get_source(environment, name)[0]


def _policy(style: str, script: str) -> str:
    """Only what we wrote runs: bytes of a peer could not, even if they escaped escaping."""

    def pinned(content: str) -> str:
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return (
        f"default-src 'none'; style-src {pinned(style)}; script-src {pinned(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _filters(page: RunView) -> str:
    """Filtering by verdict needs no script: one rule for each verdict present."""
    return "".join(
        f"body:has(#f-{verdict}:checked) [data-verdict]:not([data-verdict={verdict}])"
        "{display:none}\n"
        for verdict, _ in page.verdicts
    )


def _issue(message: Message) -> str:
    """What became of an exchange, in a few words: `répondu 200`, `répondu AE 207`, `refusé`."""
    exchange = message.exchange
    said = answer(exchange)[0] if exchange.outcome is Outcome.ANSWERED else ""
    return f"{words.OUTCOMES[exchange.outcome]} {said}".strip()


def _bar(page: RunView) -> Markup:
    """Scenario counts by verdict, as one stacked bar."""
    total = sum(count for _, count in page.verdicts) or 1
    said = ", ".join(f"{count} {verdict.french}" for verdict, count in page.verdicts)
    x = 0.0
    pieces = []
    for verdict, count in page.verdicts:
        width = 600 * count / total
        pieces.append(
            f'<rect class="v-{verdict}" x="{x:.1f}" y="0" width="{max(width - 2, 1):.1f}" '
            f'height="18"><title>{count} {escape(verdict.french)}</title></rect>'
        )
        x += width
    return Markup(
        f'<svg class="bar" viewBox="0 0 600 18" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(said)}">{"".join(pieces)}</svg>'
    )


def _chart(page: RunView) -> Markup:
    """Exchanges by transaction, one bar each."""
    if not page.transactions:
        return Markup("<p>Aucun échange.</p>")
    most = max(count for _, count in page.transactions)
    rows = []
    for name, count in page.transactions:
        width = max(2.0, 300 * count / most)
        rows.append(
            f'<tr><th scope="row">{escape(redact.text(name))}</th><td>{count}</td>'
            '<td class="plot"><svg viewBox="0 0 300 10" preserveAspectRatio="none" '
            f'aria-hidden="true"><rect width="{width:.1f}" height="10"/></svg></td></tr>'
        )
    return Markup(
        '<table class="chart"><thead class="hidden"><tr><th scope="col">Transaction</th>'
        '<th scope="col">Échanges</th><th></th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
