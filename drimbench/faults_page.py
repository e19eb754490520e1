"""The reference page of the fault menus, made from the menus: `docs/reference/pannes.md`."""

from __future__ import annotations

from collections.abc import Sequence

from simulators import ans, dmp, igc, pacs, peer, psc
from wire.faults import FaultKind, Parameter
from wire.http_faults import Shown

__all__ = ["DEFAULT_PATH", "faults_page"]

DEFAULT_PATH = "docs/reference/pannes.md"
_HEAD = """# Les pannes des simulateurs : PACS, DMP, liste blanche, PSC, autre Source, IGC

Page produite par `drimbench docs faults` : ne pas la modifier à la main.

Une panne touche un service : les associations, les requêtes d'une sorte, les poignées de main TLS.
Son plan dit lesquelles : toutes jusqu'à ce qu'on l'ôte, les N prochaines (`--times N`), ou la
k-ième (`--skip k-1 --times 1`). Chaque association ou requête compte pour toutes les pannes posées
sur son service ; la première posée de celles dont c'est le tour la touche, et elle seule. Ôter une
panne libère ce qu'elle retient ; un PACS que l'on arrête les oublie toutes. Elles touchent qui
vient : la boîte, et aussi le RIS du banc qui dépose ses comptes rendus dans le DMP. L'autre Source
est la DRIMbox voisine de la liste blanche, à laquelle une Consommatrice demande des images.

| d'où | comment |
|---|---|
| la ligne de commande | `drimbench fault set pacs refus association raison=congestion --times 2` |
| la page de `drimbench serve` | « Poser une panne », sous chaque simulateur |
| un programme | `GET`, `POST`, `DELETE` sur `/pannes.json` ([formes](json.md)) |
| une étape de scénario | `bed.pacs.faults.set("refus", "association", times=2)` |
"""


def faults_page() -> str:
    """The page, in Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_menu("PACS", "pacs` et `pacs-local", pacs.MENU),
            *_menu("DMP", "dmp", dmp.MENU),
            *_menu("Liste blanche", "ans", ans.menu(frozenset(ans.Other))),
            *_menu("Pro Santé Connect", "psc", psc.menu(Shown)),
            *_menu("Autre Source", "source", peer.MENU),
            *_menu("IGC", "igc", igc.MENU),
            "",
        ]
    )


def _menu(title: str, name: str, menu: Sequence[FaultKind]) -> list[str]:
    return [
        f"## {title} (`{name}`)",
        "",
        "| panne | ce qu'elle fait | *in English* | services | paramètres |",
        "|---|---|---|---|---|",
        *(
            f"| `{kind.name}` | {kind.words} | *{kind.meaning}* | {', '.join(kind.services)} | "
            f"{'<br>'.join(map(_parameter, kind.parameters)) or '—'} |"
            for kind in menu
        ),
        "",
    ]


def _parameter(one: Parameter) -> str:
    return f"`{one.name}={one.show(one.default)}` {one.words} : {one.expected}"
