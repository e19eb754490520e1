"""The faults of simulators as the page and the command line tell them and set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wire.faults import BadFault, Fault, FaultKind, Faults, Placed

__all__ = ["as_json", "ask", "from_form", "plan", "sentence"]


def as_json(faults: Faults) -> dict[str, Any]:
    """A simulator's menu, and what was asked of it: the documented shape."""
    return {
        "menu": [_kind(one) for one in faults.menu],
        "set": [_placed(faults, one) for one in faults.placed],
        "over": [_placed(faults, one) for one in faults.over],
    }


def ask(faults: Faults, asked: Mapping[str, Any]) -> int:
    """Set the fault that a document describes: `fault`, `service`, `times`, `skip`, `parameters`.

    Raises:
        BadFault: something is missing, of another type, or out of bounds.
    """
    kind, service = asked.get("fault"), asked.get("service")
    if not isinstance(kind, str) or not isinstance(service, str):
        raise BadFault("fault et service : textes attendus")
    times, skip = asked.get("times"), asked.get("skip", 0)
    if isinstance(times, bool) or not isinstance(times, int | None):
        raise BadFault(f"times : nombre entier ou null attendu, « {times} » donné")
    if isinstance(skip, bool) or not isinstance(skip, int):
        raise BadFault(f"skip : nombre entier attendu, « {skip} » donné")
    given = asked.get("parameters", {})
    if not isinstance(given, dict) or not all(
        isinstance(value, int | float | str) for value in given.values()
    ):
        raise BadFault("parameters : objet de nombres ou de textes attendu")
    return faults.set(kind, service, given, times=times, skip=skip)


def from_form(form: Mapping[str, str]) -> dict[str, Any]:
    """The document that a form of the page says, its parameters under `p-NAME`.

    Raises:
        BadFault: a number that is none.
    """
    numbers = {}
    for name, field in (("times", "fois"), ("skip", "passer")):
        text = form.get(field, "").strip()
        if text and not (text.isascii() and text.isdigit()):
            raise BadFault(f"{field} : nombre entier attendu, « {text} » donné")
        numbers[name] = int(text) if text else None
    return {
        "fault": form.get("panne", ""),
        "service": form.get("service", ""),
        "times": numbers["times"],
        "skip": numbers["skip"] or 0,
        "parameters": {
            name.removeprefix("p-"): text
            for name, text in form.items()
            if name.startswith("p-") and text.strip()
        },
    }


def sentence(faults: Faults, fault: Fault) -> str:
    """A fault and its parameters, in a line."""
    kind = faults.kind(fault.kind)
    said = [
        f"{one.name} {one.show(fault.values[one.name])} {one.unit}".strip()
        for one in kind.parameters
    ]
    return " ".join((f"{fault.service} : {fault.kind}", f"({', '.join(said)})" if said else ""))


def plan(fault: Fault) -> str:
    """Whom it strikes, in a line."""
    many = "associations" if fault.service == "association" else "requêtes"
    if fault.service == "TLS":
        many = "poignées de main"
    which = f"toutes les {many}" if fault.times is None else f"{fault.times} fois"
    return f"{which}, après {fault.skip}" if fault.skip else which


def _kind(kind: FaultKind) -> dict[str, Any]:
    return {
        "fault": kind.name,
        "title": kind.words,
        "meaning": kind.meaning,
        "services": list(kind.services),
        "parameters": [
            {
                "name": one.name,
                "title": one.words,
                "unit": one.unit,
                "default": one.show(one.default),
                "expected": one.expected,
                "choices": dict(one.choices),
            }
            for one in kind.parameters
        ],
    }


def _placed(faults: Faults, placed: Placed) -> dict[str, Any]:
    fault, kind = placed.fault, faults.kind(placed.fault.kind)
    return {
        "id": placed.id,
        "fault": fault.kind,
        "service": fault.service,
        "parameters": {one.name: one.show(fault.values[one.name]) for one in kind.parameters},
        "times": fault.times,
        "skip": fault.skip,
        "seen": placed.seen,
        "struck": placed.struck,
        "summary": sentence(faults, fault).strip(),
        "plan": plan(fault),
    }
