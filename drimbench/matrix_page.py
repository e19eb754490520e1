"""What the recorded matrix proves, written between two marks of a page, in its language."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from mutants.record import Record

__all__ = ["BEGIN", "END", "paragraph", "rewrite"]

BEGIN = "<!-- mutants : drimbench docs mutants -->"
END = "<!-- /mutants -->"

_ENGLISH = """\
**{killed} of {boxes} wrong boxes caught** ({kill_rate}), {sources} Sources and {consumers}
Consumers, each by a scenario of a requirement that it breaks. Of the {failures} scenarios that they
fail, {right} fail on a requirement that the box breaks or cannot but drag along (**precision
{precision}**). {proven} of {scenarios} scenarios are turned red by a wrong box at least. Each box
played the scenarios that its row lists, {when}, drimbench {versions}, Python {pythons}."""

_FRENCH = """\
**{killed} boîtes fautives sur {boxes} sont prises** ({kill_rate}), {sources} Sources et {consumers}
Consommatrices, chacune par un scénario d'une exigence qu'elle enfreint. Des {failures} scénarios
qui y échouent, {right} échouent sur une exigence que la boîte enfreint ou entraîne forcément
(**précision {precision}**). {proven} scénarios sur {scenarios} rougissent devant une boîte fautive
au moins. Chaque boîte a joué les scénarios que dit sa ligne, {when}, drimbench {versions},
Python {pythons}."""


def paragraph(record: Record, *, french: bool) -> str:
    """The numbers, in a sentence that says when, with which versions and at which commits."""
    days = sorted({row.played for row in record.rows})
    commits = sorted({row.commit for row in record.rows})
    if french:
        when = f"le {days[0]}" if len(days) == 1 else f"du {days[0]} au {days[-1]}"
    else:
        when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
    return (_FRENCH if french else _ENGLISH).format(
        killed=record.killed,
        boxes=len(record.rows),
        kill_rate=_percent(record.kill_rate, french=french),
        sources=sum(row.role == "source" for row in record.rows),
        consumers=sum(row.role == "consumer" for row in record.rows),
        failures=record.failures,
        right=record.right,
        precision=_percent(record.precision, french=french),
        proven=len(record.proven),
        scenarios=len(record.scenarios),
        when=f"{when} (commit {', '.join(commits)})",
        versions=", ".join(sorted({row.version for row in record.rows})),
        pythons=", ".join(sorted({row.python for row in record.rows})),
    )


def rewrite(page: Path, record: Record) -> str:
    """The text of a page with the numbers of this record; `.fr.md` pages are in French.

    Raises:
        BenchError: the page has no marks, or the record is empty.
        OSError: the page cannot be read.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{page} : les marques {BEGIN} et {END} sont attendues")
    if not record.rows:
        raise BenchError(
            "la matrice consignée est vide : drimbench mutants --full --record FICHIER"
        )
    french = page.name.endswith(".fr.md")
    return f"{before}{BEGIN}\n{paragraph(record, french=french)}\n{END}{after}"


def _percent(part: float, *, french: bool) -> str:
    """Rounded down: 100 % is all of them."""
    shown = f"{int(part * 1000) / 10:g}"
    return f"{shown.replace('.', ',')} %" if french else f"{shown} %"
