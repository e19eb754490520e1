"""The benchmarks by name, and what they say as a table, as Markdown or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

from rich.table import Table

from load.benchmarks.measure import Measure, Skipped

__all__ = ["BENCHMARKS", "Benchmark", "Line", "document", "markdown", "play", "table"]

Line = Measure | Skipped


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: what it measures, in French, and how. Its module is read when it is played."""

    words: str
    module: str = ""
    run: Callable[[], Sequence[Line]] | None = None

    def play(self) -> list[Line]:
        """Measure."""
        run = self.run or import_module(f"load.benchmarks.{self.module}").run
        return list(run())


BENCHMARKS: dict[str, Benchmark] = {
    name: Benchmark(words, name)
    for name, words in {
        "small_requests": "petites requêtes HTTP, face à un écho nu",
        "streaming_memory": "mémoire de la Source, série longue face à courte",
        "validation": "ce que coûte un jugement, face à la simple lecture",
        "archive_lookup": "archive de la Source, un million de KOS face à dix mille",
        "c_store": "C-STORE, face à storescp, à storescu et à Orthanc",
        "wado": "WADO-RS, face au PACS seul et à nginx ; le client, face à curl",
        "c_find": "C-FIND, face à Orthanc ; parmi 100 000 examens, face à 1 000",
        "kos": "KOS de 10 000 instances écrit et lu, face à pydicom",
        "mllp": "comptes rendus de 500 ko par MLLP, face à la bibliothèque hl7",
        "start_up": "démarrage de drimbench --help, face à l'import de typer et rich",
        "large_exam": "publication d'un examen de 10 000 instances, face à son C-FIND",
    }.items()
}


def play(names: Iterable[str], told: Callable[[int], object] = lambda _: None) -> list[Line]:
    """Play those benchmarks one after the other; `told` hears how many are done."""
    lines: list[Line] = []
    for done, name in enumerate(names, 1):
        lines += BENCHMARKS[name].play()
        told(done)
    return lines


def document(lines: Iterable[Line]) -> list[dict[str, object]]:
    """For JSON: one object a line, `skipped` with its reason where nothing was measured."""
    return [one.as_dict() for one in lines]


def table(lines: Sequence[Line]) -> Table:
    """For a terminal."""
    shown = Table(title="Mesures relatives (seul le rapport se compare d'une machine à l'autre)")
    for title in ("Mesure", "Le pair", "Nous", "Pair", "Rapport", "Au calme", "Limite", "Unité"):
        left = title in ("Mesure", "Le pair", "Unité")
        shown.add_column(title, justify="left" if left else "right", no_wrap=True)
    for one in lines:
        if isinstance(one, Skipped):
            shown.add_row(one.name, f"[yellow]sauté : {one.reason}[/yellow]")
            continue
        colour = "green" if one.kept else "red"
        shown.add_row(
            one.name,
            one.peer_name,
            f"{one.ours:.0f}",
            f"{one.peer:.0f}",
            f"{one.ratio:.2f}",
            f"[{colour}]{one.quiet_ratio:.2f}[/{colour}]",
            one.bar,
            one.unit,
        )
    return shown


def markdown(lines: Sequence[Line]) -> str:
    """Ratios only: what a machine takes in seconds says nothing about another one."""
    written = [
        "| Mesure | Le pair | Rapport | Au calme | Limite | Passages |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for one in lines:
        if isinstance(one, Skipped):
            written.append(f"| {one.name} | sauté : {one.reason} |  |  |  |  |")
            continue
        cells = (f"{one.ratio:.2f}", f"{one.quiet_ratio:.2f}", one.bar, str(one.runs))
        written.append(" | ".join(("| " + one.name, one.peer_name, *cells)) + " |")
    return "\n".join(written) + "\n"
