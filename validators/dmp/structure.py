"""The structure of a message to or from the DMP: the rules of a publication, in its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from validators.dmp.reading import Message
from validators.examples.xds import Tamper
from validators.inherit import inherit
from validators.rule import RuleSet
from validators.xds.reading import Submission
from validators.xds.rules import XDS

__all__ = ["structure_rules"]


def structure_rules(
    rules: RuleSet,
    make: Callable[[Tamper], bytes],
    *,
    faulty: Tamper,
    disordered: Tamper | None = None,
) -> None:
    """Register what the schemas of ebRIM, ebRS and XDS.b say.

    Args:
        make: an example of the kind, spoiled.
        faulty: breaks its structure.
        disordered: breaks the order of a registry object; None where a message has none.
    """
    spoiling = {"XDS-190": faulty} | ({} if disordered is None else {"XDS-027": disordered})
    for id, tamper in spoiling.items():
        inherit(
            rules,
            XDS,
            (id,),
            example=_spoiled(make, tamper),
            parts=_lot,
            requirements=rules.requirements,
        )


def _spoiled(make: Callable[[Tamper], bytes], tamper: Tamper) -> Callable[[bytes], bytes]:
    return lambda _: make(tamper)


def _lot(message: Message) -> Iterator[tuple[str, Submission]]:
    yield "", message.lot
