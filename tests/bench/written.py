"""Runs written by hand: a journal without a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.outcomes import Failure
from wire.shard import Shard

__all__ = ["write_run"]


def write_run(
    runs: Path,
    name: str,
    scenarios: Mapping[str, Failure | None],
    *,
    requirements: tuple[str, ...] = ("DB.SO.12",),
    finding: str = "",
    ended: bool = True,
    plan: tuple[str, ...] = (),
    **start: object,
) -> Path:
    """A run whose scenarios each have one step, which went well or failed so."""
    shard = Shard(runs / name, "bench")
    fields: dict[str, object] = {
        "run": name, "seed": 1, "floor": "draft", "strict": False, "version": "1",
        "python": "3.11", "platform": "linux", "profile": {"name": "p", "sha256": "0"},
        "product": {"name": "KIT", "version": "1", "vendor": ""}, "claims": {}, "options": {},
        "actors": {},
    }  # fmt: skip
    shard.write("run.start", **{**fields, **start})
    shard.write("plan", scenarios=list(plan or scenarios))
    for id, failure in scenarios.items():
        shard.write(
            "scenario.start", scenario=id, title=f"Titre de {id}", feature="F", domain="images",
            requirements=list(requirements), roles=["source"],
        )  # fmt: skip
        shard.write("case", scenario=id, identifiers={}, public={})
        shard.write(
            "expectation", scenario=id, step=0, what="l'effet", met=failure is None,
            requirements=list(requirements), exchanges=[], expected="", actual="", deadline_s=None,
        )  # fmt: skip
        shard.write(
            "step", scenario=id, index=0, keyword="Alors", kind="then", text="tout va bien",
            failure=failure.value if failure else None, message="raté" if failure else "",
            started="", mono_start=0.0,
        )  # fmt: skip
        if finding:
            shard.write(
                "finding", scenario=id, exchange="e1", rule=finding, severity="warning",
                message="m", expected="", actual="", where="", spec="", grade="faq",
                requirements=[], cause="box",
            )  # fmt: skip
        shard.write("scenario.end", scenario=id, verdict="pass")
    if ended:
        shard.write("run.end")
    shard.close()
    return runs / name
