"""What a step leaves as proof under the id that the drafts give it: the screen, or a measure.

The same place as what a person attaches afterwards (`drimbench attach`): reports and evidence show
both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from bench.browser import Browser, Photographer
from bench.consulting import Consulting
from bench.decisions import ATTACHMENT
from bench.drivers import PERSON
from bench.stage import Stage
from simulators.user import UserError

__all__ = ["another_product", "by_person", "keep_measure", "keep_screen", "photograph"]

_BY = "drimbench"


def by_person(stage: Stage) -> bool:
    """Whether a person is in front of the product's pages."""
    return stage.profile.consumer.driver == PERSON


def another_product(stage: Stage) -> bool:
    """Whether the Consumer is not the embedded reference, nor a wrong box made of it."""
    return stage.profile.external_consumer() or bool(stage.profile.consumer.command)


def keep_screen(consulting: Consulting, proof: str, what: str) -> None:
    """Keep what the screen shows as a capture; where no driver can, a person is asked for it.

    A driver that has no picture gives the page as it came: enough for the reference, whose pages
    are known; of another product a person attaches what its screen looked like.
    """
    stage = consulting.story.stage
    wanted = (
        f"{what} : joindre la capture de tout le navigateur, adresse et date du système visibles "
        f"(drimbench attach @1 {proof} FICHIER)"
    )
    if by_person(stage):
        stage.leave_to_a_person(wanted)
        return
    if photograph(consulting, proof):
        return
    page = consulting.shown
    _keep(stage, proof, "html", page.body)
    if another_product(stage):
        stage.leave_to_a_person(wanted)


def photograph(consulting: Consulting, proof: str) -> bool:
    """Keep a picture of the screen, where the driver takes some; whether it does."""
    user: Browser | None = consulting.user
    if not isinstance(user, Photographer):
        return False
    try:
        taken = consulting.story.bed.call(user.photograph)
    except UserError:
        return False
    _keep(consulting.story.stage, proof, "png", taken.png)
    return True


def keep_measure(stage: Stage, proof: str, figures: Mapping[str, object]) -> None:
    """Keep figures and their conditions, as JSON."""
    document = json.dumps(figures, ensure_ascii=False, indent=2)
    _keep(stage, proof, "json", document.encode())


def _keep(stage: Stage, proof: str, suffix: str, data: bytes) -> None:
    name = f"{proof.replace('/', '-')}.{suffix}"
    stage.shard.write(
        ATTACHMENT,
        proof=proof,
        name=name,
        size=len(data),
        sha256=stage.shard.blobs.put(data),
        by=_BY,
    )
