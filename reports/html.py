"""The report of a run as one offline HTML file: no resource outside it, readable without script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup, escape

from bench.results import Run
from reports import redact
from reports.templating import environment, policy, source
from reports.views import RunView, product_name, view

__all__ = ["render", "write_html"]

_BUFFER = 1 << 20
"""Octets written at once: a template yields many short strings."""


def write_html(run: Run, target: Path) -> Path:
    """Write the page of a run and return its path. The same run gives the same bytes.

    It is written as it is made, and takes its name once whole: a page weighs several times what
    its messages do, and what stood there stays until then.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n", buffering=_BUFFER) as file:
            file.writelines(_pieces(run))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def render(run: Run) -> str:
    """The page of a run."""
    return "".join(_pieces(run))


def _pieces(run: Run) -> Iterator[str]:
    """The page as the template yields it: one message in memory at a time."""
    page = view(run)
    made = environment()
    style = source(made, "style.css") + _filters(page)
    script = source(made, "script.js")
    flows = [(scenario.anchor, scenario.flow) for scenario in page.scenarios]
    return made.get_template("report.html.j2").generate(
        page=page,
        product=product_name(run.meta),
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        bar=_bar(page),
        chart=_chart(page),
        total=sum(count for _, count in page.transactions),
        flows=[*flows, ("ambiants", page.ambient)],
    )


def _filters(page: RunView) -> str:
    """Filtering by verdict needs no script: one rule for each verdict present."""
    return "".join(
        f"body:has(#f-{verdict}:checked) [data-verdict]:not([data-verdict={verdict}])"
        "{display:none}\n"
        for verdict, _ in page.verdicts
    )


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
