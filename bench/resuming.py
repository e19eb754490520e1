"""Resuming an interrupted campaign: what it has concluded is kept, the rest is played.

What is resumed must be the same campaign: same profile, same scenarios, same seed, same report.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.campaign import Options, selected_by
from bench.errors import BenchError
from bench.journal import Journal
from bench.packed import refuse_if_packed
from bench.runs import all_runs, find_run
from bench.sessions import Session, report_digest, versions
from wire.shard import Shard

__all__ = ["ResumeError", "find_interrupted", "resume"]


class ResumeError(BenchError):
    """This run cannot be resumed so; the text is for the user."""


def find_interrupted(name: str, runs: Path) -> Path:
    """The run of that name, as `find_run` reads it, or the last one that was interrupted.

    Raises:
        BenchError: there is none.
    """
    if name:
        return find_run(name, runs)
    for folder in reversed(all_runs(runs)):
        if _left(Journal(folder)):
            return folder
    raise ResumeError(f"{runs} ne contient aucune campagne interrompue")


def resume(run: Path, options: Options) -> Options | None:
    """Begin another go of a run: the options that play what is left of it.

    None when everything was played and only the end was missing: it is written.

    Args:
        options: what is asked now. Words, suite and seed may be left out, not contradicted.

    Raises:
        ResumeError: the run is whole, or is not the one that these options would play.
        PackedError: it is sealed in a dossier.
    """
    refuse_if_packed(run, "reprise")
    journal = Journal(run)
    start = next(journal.of("run.start"), None)
    if start is None or next(journal.of("plan"), None) is None:
        raise ResumeError(f"{run} : interrompue avant tout scénario, rien n'est à reprendre")
    if next(journal.of("run.end"), None) is not None and not _left(journal):
        raise ResumeError(f"{start.fields['run']} : campagne complète, rien n'est à reprendre")
    _same_profile(start.fields, options)
    _same_seed(start.fields["seed"], options)
    _same_scenarios(_planned(journal), options)
    left = _left(journal)
    go = 2 + sum(1 for _ in journal.of("run.resume"))
    with closing(Shard(run, "bench")) as shard:
        if not left:
            shard.write("run.end")
            return None
        shard.write("run.resume", go=go, **versions())
    return replace(
        options,
        only=tuple(left),
        suite="",
        seed=start.fields["seed"],
        session=Session(directory=run.absolute(), seed=start.fields["seed"], go=go),
    )


def _planned(journal: Journal) -> list[str]:
    plans = (event.fields["scenarios"] for event in journal.of("plan"))
    return list(dict.fromkeys(id for plan in plans for id in plan))


def _left(journal: Journal) -> list[str]:
    """The scenarios without an end, and those that were not played since a box was gone."""
    ended = {event.fields["scenario"]: event for event in journal.of("scenario.end")}
    return [id for id in _planned(journal) if id not in ended or ended[id].fields.get("skip")]


def _same_profile(start: dict[str, object], options: Options) -> None:
    told, profile = start["profile"], options.profile
    assert isinstance(told, dict)
    if told["sha256"] != profile.digest():
        raise ResumeError(
            "reprise avec un autre profil (ou --floor, --strict) : attendu « "
            f"{told['name']} » {told['sha256'][:12]}, trouvé « {profile.name} » "
            f"{profile.digest()[:12]}"
        )
    if start.get("report", "") != report_digest(options.report):
        raise ResumeError("reprise avec un autre --report que celui de la campagne")


def _same_seed(seed: object, options: Options) -> None:
    if options.seed not in (None, seed):
        raise ResumeError(f"reprise avec une autre graine : attendu {seed}, trouvé {options.seed}")


def _same_scenarios(planned: list[str], options: Options) -> None:
    if not options.only and not options.suite and options.report is None:
        return
    asked = selected_by(options)
    if asked != set(planned):
        other = ", ".join(sorted(asked.symmetric_difference(planned)))
        raise ResumeError(
            f"reprise d'une autre sélection : attendu {len(planned)} scénario(s), trouvé "
            f"{len(asked)} ; en écart : {other}"
        )
