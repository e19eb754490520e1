"""What a dossier holds: names, and bytes made or read one file at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bench.assemble import load
from bench.comparison import Change
from bench.decisions import Attachment
from bench.errors import BenchError
from bench.journal import Event, Journal
from bench.results import Run
from reports import redact
from reports.dossier import differences, matrix
from reports.dossier.proofs import Proof, Told, told
from reports.dossier.scan import Known, known_from
from reports.dossier.traffic import exchange_path, files_of, slug
from reports.html import render
from reports.json import as_json
from reports.junit import as_junit
from reports.templating import environment, policy, source
from reports.views import product_name

__all__ = ["BODIES", "Content", "Part"]

BODIES = 48 * 1024 * 1024
"""Bytes of bodies that the page of the run may show; beyond, they are in their own files alone."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its name, what to call when its bytes are wanted."""

    name: str
    chunks: Callable[[], Iterator[bytes]]


class Content:
    """The files of a run's dossier, in a fixed order.

    Args:
        folder: the run's.
        referenced: the folder of the run of the referenced version, for a dossier that says what
            a new version changes.

    Raises:
        BenchError: not a run, or one that was cut before its end; see `differences.since`.
    """

    def __init__(self, folder: Path, referenced: Path | None = None) -> None:
        self.run = load(folder, bodies=BODIES)
        if self.run.interrupted:
            raise BenchError(
                f"{self.run.id} : campagne interrompue ; la finir (drimbench run --resume) avant "
                "d'en faire un dossier"
            )
        self.since = differences.since(referenced, self.run) if referenced else None
        journal = Journal(folder)
        self._journal = journal
        self._events: dict[str, Event] = {event.id: event for event in journal.of("exchange")}
        self.known = _known(journal)
        self._pieces = _names(self.run)
        self.told: Told = told(self.run, self._pieces)

    def parts(self) -> Iterator[Part]:
        """Every file but the manifest and its seals."""
        yield _made("LISEZMOI.txt", lambda: _readme(self.run, self.since is not None).encode())
        yield _made("sommaire.html", lambda: self._page("dossier.html.j2").encode())
        if self.since is not None:
            since = self.since
            yield _made("differences.html", lambda: self._page("differences.html.j2").encode())
            yield _made("differences.json", lambda: _json(since.as_dict()))
        yield _made("rapport.html", lambda: render(self.run).encode())
        yield _made("rapport.pdf", self._paper)
        yield _made("matrice.xlsx", lambda: matrix.render(self.told))
        yield _made("junit.xml", lambda: as_junit(self.run))
        yield _made("resultats.json", lambda: _json(as_json(self.run, None)))
        yield _made("metadonnees.json", lambda: _json(_metadata(self.run)))
        for proof in self.told.proofs:
            yield _made(proof.path, partial(self._proof, proof))
        for attachment, name in self._pieces.items():
            yield Part(name, partial(self._blob, attachment.sha256))
        yield from self._exchanges()

    def _exchanges(self) -> Iterator[Part]:
        for scenario in self.run.scenarios:
            for rank, recorded in enumerate(scenario.exchanges, 1):
                path = exchange_path(scenario.id, rank, recorded.exchange)
                whole = self._journal.exchange(self._events[recorded.id])
                for name, data in files_of(path, recorded, whole):
                    yield _made(name, partial(bytes, data))

    def _paper(self) -> bytes:
        from reports.dossier.paper import render as typeset  # a typesetter: slow to load

        return typeset(self.run, self.told, _json(as_json(self.run, None)))

    def _proof(self, proof: Proof) -> bytes:
        return self._page("proof.html.j2", proof=proof).encode()

    def _page(self, template: str, **values: Any) -> str:
        made = environment()
        style = source(made, "proof.css")
        return made.get_template(template).render(
            run=self.run,
            product=product_name(self.run.meta),
            chapters=self.told.chapters,
            missing=self.told.missing,
            since=self.since,
            changes=tuple(Change),
            style=Markup(style),
            policy=policy(style, ""),
            **values,
        )

    def _blob(self, digest: str) -> Iterator[bytes]:
        with self._journal.blobs.path(digest).open("rb") as blob:
            while chunk := blob.read(_CHUNK):
                yield chunk


def _made(name: str, make: Callable[[], bytes]) -> Part:
    def chunks() -> Iterator[bytes]:
        data = make()
        for begin in range(0, len(data), _CHUNK):
            yield data[begin : begin + _CHUNK]

    return Part(name, chunks)


def _names(run: Run) -> dict[Attachment, str]:
    """A name for each attached file: two may bear the same under one proof."""
    names: dict[Attachment, str] = {}
    for one in run.attachments:
        wanted = f"pieces/{slug(one.proof)}/{slug(one.name)}"
        stem, dot, suffix = wanted.rpartition(".")
        rank, taken = 2, {name.casefold() for name in names.values()}
        name = wanted
        while name.casefold() in taken:
            name = f"{stem}-{rank}{dot}{suffix}" if dot else f"{wanted}-{rank}"
            rank += 1
        names[one] = name
    return names


def _known(journal: Journal) -> Known:
    """The patients of every Case, those that a scenario keeps beside its own among them."""
    pairs = []
    for event in journal.of("case"):
        name = event.fields["public"].get("patient", "")
        for key, value in (*event.fields["public"].items(), *event.fields["identifiers"].items()):
            if "matricule INS" in key:
                pairs.append((name, value))
    return known_from(pairs)


def _metadata(run: Run) -> dict[str, Any]:
    """With what it was played, and who decided what and when."""
    return {
        "campagne": run.id,
        "debut": run.started.isoformat(),
        "duree_s": run.duration_s,
        "graine": run.seed,
        "verdict": run.verdict.value,
        "versions": {name: run.meta.get(name) for name in ("version", "python", "platform")},
        "produit": run.meta.get("product"),
        "profil": run.meta.get("profile"),
        "revendications": run.meta.get("claims"),
        "options": run.meta.get("options"),
        "plancher": run.meta.get("floor"),
        "strict": run.meta.get("strict"),
        "ecart_horloge_s": run.meta.get("clock_offset_s"),
        "notes": list(run.notes),
        "non_joues": list(run.unplayed),
        "echecs_attendus": run.meta.get("expected_failures", []),
        "decisions": [
            {
                "scenario": scenario.id,
                "etape": step.index + 1,
                "conforme": step.decision.conform,
                "par": step.decision.by,
                "le": step.decision.utc.isoformat(),
                "commentaire": step.decision.comment,
            }
            for scenario in run.scenarios
            for step in scenario.steps
            if step.decision is not None
        ],
        "pieces": [
            {
                "preuve": one.proof,
                "nom": one.name,
                "taille": one.size,
                "sha256": one.sha256,
                "par": one.by,
                "le": one.utc.isoformat(),
            }
            for one in run.attachments
        ],
    }


def _json(document: Any) -> bytes:
    return redact.text(json.dumps(document, ensure_ascii=False, indent=1)).encode() + b"\n"


def _readme(run: Run, version: bool) -> str:
    differences = (
        "differences.html    ce qui a changé depuis la version référencée ; differences.json\n"
        if version
        else ""
    )
    return (
        f"Dossier de preuves de {product_name(run.meta)}, campagne {run.id}\n\n"
        "sommaire.html       les exigences par chapitre, leurs preuves, celles qui manquent\n"
        f"{differences}"
        "preuves/            une page par preuve : étape, action, attendu, observé, preuve\n"
        "pieces/             captures, vidéos et attestations jointes\n"
        "echanges/           ce qui a circulé, scénario par scénario, secrets masqués\n"
        "rapport.pdf         exigences et verdicts (PDF/A-3, résultats en JSON embarqués)\n"
        "matrice.xlsx        les exigences, leurs verdicts et leurs preuves, en tableur\n"
        "rapport.html        le rapport de la campagne ; junit.xml et resultats.json le redisent\n"
        "metadonnees.json    versions, profil, graine, décisions : qui, quoi, quand\n"
        "manifeste.json      taille et SHA-256 de chaque fichier\n"
        "manifeste.jws       sa signature (JWS détaché), s'il est signé\n"
        "manifeste.tsr       l'horodatage RFC 3161 de la signature, s'il y en a un\n\n"
        "Les preuves dont le nom commence par KIT- sont propres à drimbench. Les autres portent\n"
        "l'identifiant des exports publics de projet de l'ANS (2022-2023).\n\n"
        "Contrôle : drimbench verify DOSSIER.zip --trust AUTORITES.pem\n"
    )
