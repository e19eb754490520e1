"""The reference page of the rules, made from the rules: `docs/reference/regles.md`."""

from __future__ import annotations

from validators.api import KINDS, Kind
from validators.finding import Severity
from validators.rule import Rule

__all__ = ["DEFAULT_PATH", "rules_page"]

DEFAULT_PATH = "docs/reference/regles.md"
_SEVERITIES = {
    Severity.ERROR: "erreur",
    Severity.WARNING: "avertissement",
    Severity.INFO: "note",
}
_HEAD = """# Les règles

Page produite par `drimbench docs rules` : ne pas la modifier à la main.

Une erreur dont la confiance est inférieure à `--floor`, ou qui vient du démonstrateur ou de notre
lecture (`demonstrator`, `inferred`), n'est qu'un avertissement. « toléré » : un avertissement, qui
devient une erreur avec `--strict`. `drimbench explain RÈGLE` donne les exemples accepté et refusé.
"""


def rules_page() -> str:
    """The page, in Markdown: the kinds in alphabetical order, their rules in that of ids."""
    kinds = [KINDS[name] for name in sorted(KINDS)]
    total = sum(len(kind.rules.rules) for kind in kinds)
    summary = [
        f"{total} règles, {len(kinds)} sortes d'artefacts.",
        "",
        "| sorte | artefact | règles |",
        "|---|---|---|",
        *(
            f"| [`{kind.name}`](#{_anchor(kind)}) | {kind.title} | {len(kind.rules.rules)} |"
            for kind in kinds
        ),
    ]
    return "\n".join([_HEAD, *summary, *(line for kind in kinds for line in _kind(kind)), ""])


def _anchor(kind: Kind) -> str:
    return f"sorte-{kind.name}"


def _kind(kind: Kind) -> list[str]:
    return [
        "",
        f'## <a id="{_anchor(kind)}"></a>{kind.title}',
        "",
        f"`drimbench validate {kind.name} FICHIER…`",
        "",
        "| règle | ce qu'elle demande | gravité | texte | confiance | exigences |",
        "|---|---|---|---|---|---|",
        *(_row(rule) for _, rule in sorted(kind.rules.rules.items())),
    ]


def _row(rule: Rule) -> str:
    severity = "toléré" if rule.tolerated else _SEVERITIES[rule.severity]
    cells = (
        f"`{rule.id}`",
        rule.title,
        severity,
        str(rule.reference),
        rule.reference.grade.value,
        ", ".join(rule.requirements),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
