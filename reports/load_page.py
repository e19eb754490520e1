"""The page of a load test: verdicts, percentiles, plots drawn here, conditions. Offline, one file.

What it shows is the JSON document of `drimbench load`, which it takes as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.templating import environment, policy, source

__all__ = ["LANGUAGES", "WORDS", "render"]

_WIDTH, _HEIGHT = 640.0, 180.0
_SLICES = 60

WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "title": "Mesure de charge",
        "met": "Seuils tenus",
        "missed": "Seuils non tenus",
        "thresholds": "Seuils",
        "threshold": "Seuil",
        "requirements": "Exigences",
        "measured": "Mesuré",
        "expected": "Attendu",
        "verdict": "Verdict",
        "grade": "Confiance",
        "throughput": "débit, toutes séries ensemble",
        "first_image": "première image sur le fil, 95e centile",
        "together": "séries servies en même temps",
        "series": "série entière",
        "latency": "Délais",
        "percentile": "Centile",
        "seconds": "s",
        "errors": "Erreurs",
        "none": "aucune",
        "conditions": "Conditions de la mesure",
        "resources": "Ressources",
        "tenu": "tenu",
        "toléré": "toléré",
        "dépassé": "non tenu",
        "unmeasured": "non mesuré",
        "plot_rate": "Débit au fil du temps (Mbit/s)",
        "plot_latency": "Délais, du plus court au plus long (s)",
        "limited": "Un processus du banc occupait un cœur entier : le chiffre peut être le sien, "
        "pas celui de la boîte.",
        "interrupted": "Mesure interrompue : ce qui était venu est dit.",
        "note": "Les conditions officielles de mesure ne sont pas publiques : ces seuils sont ceux "
        "des textes de 2023, et la mesure vaut avec ses conditions. La première image est "
        "comptée à son arrivée sur le fil : l'écran vient après.",
        "summary": "{series} séries en {seconds} s, {unfinished} coupées par la fin, "
        "{megabits_s} Mbit/s, {images_s} images/s",
    },
    "en": {
        "title": "Load measurement",
        "met": "Limits met",
        "missed": "Limits not met",
        "thresholds": "Limits",
        "threshold": "Limit",
        "requirements": "Requirements",
        "measured": "Measured",
        "expected": "Expected",
        "verdict": "Verdict",
        "grade": "Trust",
        "throughput": "throughput, all series together",
        "first_image": "first image on the wire, 95th percentile",
        "together": "series served at once",
        "series": "whole series",
        "latency": "Latency",
        "percentile": "Percentile",
        "seconds": "s",
        "errors": "Errors",
        "none": "none",
        "conditions": "Conditions of the measure",
        "resources": "Resources",
        "tenu": "met",
        "toléré": "tolerated",
        "dépassé": "not met",
        "unmeasured": "not measured",
        "plot_rate": "Throughput over time (Mbit/s)",
        "plot_latency": "Latency, shortest to longest (s)",
        "limited": "A process of the bench took a whole core: the figure may be its own, not the "
        "box's.",
        "interrupted": "Interrupted: what had come is told.",
        "note": "The official conditions are not public: these limits are those of the 2023 texts, "
        "and the measure stands with its conditions. The first image counts when it is on the "
        "wire: the screen comes later.",
        "summary": "{series} series in {seconds} s, {unfinished} cut by the end, "
        "{megabits_s} Mbit/s, {images_s} images/s",
    },
}
LANGUAGES = tuple(WORDS)


def render(document: Mapping[str, Any], language: str = "fr") -> str:
    """The page."""
    made = environment()
    style = source(made, "style.css") + source(made, "load.css")
    transfers: Sequence[Mapping[str, Any]] = document["transfers"]
    rates = _rates(transfers)
    limit = next(
        (one["expected"] for one in document["thresholds"] if one["name"] == "throughput"), 0.0
    )
    top = max([*rates, limit, 1e-6]) * 1.05
    waits = {
        "first_image": sorted(one["first"] for one in transfers if one["first"] is not None),
        "series": sorted(one["seconds"] for one in transfers if one["outcome"] == "ok"),
    }
    longest = max([1e-6, *(one for values in waits.values() for one in values)]) * 1.05
    words = WORDS[language]
    return made.get_template("load.html.j2").render(
        page=document,
        words=words,
        language=language,
        style=style,
        policy=policy(style, ""),
        width=_WIDTH,
        height=_HEIGHT,
        summary=summary(document, language),
        rate_points=_points(rates, top),
        rate_limit=_HEIGHT * (1 - limit / top),
        rate_top=top,
        wait_points={name: _points(values, longest) for name, values in waits.items()},
        wait_top=longest,
        span=document["seconds"],
    )


def summary(document: Mapping[str, Any], language: str = "fr") -> str:
    """One line."""
    figures = {name: document[name] for name in ("series", "unfinished")}
    rounded = {name: f"{document[name]:.1f}" for name in ("seconds", "megabits_s", "images_s")}
    return WORDS[language]["summary"].format(**figures, **rounded)


def _rates(transfers: Sequence[Mapping[str, Any]]) -> list[float]:
    """Mbit/s of each slice of the measure; the bytes of a transfer are spread over its time."""
    end = max((one["begun"] + one["seconds"] for one in transfers), default=0.0)
    if not end:
        return []
    width = end / _SLICES
    bits = [0.0] * _SLICES
    for one in transfers:
        rate = one["size"] * 8 / 1e6 / max(one["seconds"], 1e-6)
        for number in range(_SLICES):
            begun, ended = max(number * width, one["begun"]), (number + 1) * width
            shared = min(ended, one["begun"] + one["seconds"]) - begun
            bits[number] += rate * max(0.0, shared)
    return [one / width for one in bits]


def _points(values: Sequence[float], top: float) -> str:
    """Of an SVG polyline."""
    last = max(1, len(values) - 1)
    return " ".join(
        f"{number / last * _WIDTH:.1f},{_HEIGHT * (1 - value / top):.1f}"
        for number, value in enumerate(values)
    )
