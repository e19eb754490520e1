"""What a campaign leaves: a document, and a folder by finding with all that it takes to replay."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from load.fuzz.campaign import KINDS, Campaign, Finding

__all__ = ["as_document", "keep", "replay"]


def replay(finding: Finding, seed: int, profile: str = "") -> str:
    """The command that plays the case again."""
    chosen = f" --profile {shlex.quote(profile)}" if profile else ""
    only = f" --only {finding.index}" if finding.index >= 0 else ""
    return f"drimbench fuzz {finding.door} --seed {seed}{only}{chosen}"


def as_document(campaign: Campaign, seed: int, folder: Path, profile: str = "") -> dict[str, Any]:
    """For JSON; its shape is in docs/reference/json.md."""
    return {
        "seed": seed,
        "seconds": round(campaign.seconds, 1),
        "interrupted": campaign.interrupted,
        "conform": not campaign.findings,
        "folder": str(folder),
        "doors": [
            {
                "door": one.door,
                "cases": one.cases,
                "answered": one.answered,
                "closed": one.closed,
                "twins": one.twins,
                "pids": one.pids,
                "readings": [reading.as_dict() for reading in one.readings],
            }
            for one in campaign.played.values()
        ],
        "findings": [
            {
                "door": one.door,
                "index": one.index,
                "kind": one.kind,
                "what": one.what,
                "size": sum(map(len, one.pieces)),
                "smallest_size": sum(map(len, one.smallest)),
                "folder": str(folder / _name(one)),
                "replay": replay(one, seed, profile),
            }
            for one in campaign.findings
        ],
    }


def keep(campaign: Campaign, seed: int, folder: Path, profile: str = "") -> dict[str, Any]:
    """Write everything; the document."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in campaign.findings:
        place = folder / _name(one)
        place.mkdir(exist_ok=True)
        for name, pieces in (("cas", one.pieces), ("minimal", one.smallest)):
            for number, piece in enumerate(pieces, 1):
                (place / f"{name}-{number}.bin").write_bytes(piece)
        (place / "reponse.bin").write_bytes(one.answer)
        (place / "boite.log").write_text(one.said, encoding="utf-8")
        (place / "transcription.txt").write_text(_transcript(one, seed, profile), encoding="utf-8")
    document = as_document(campaign, seed, folder, profile)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    (folder / "fuzz.json").write_text(text + "\n", encoding="utf-8")
    return document


def _name(finding: Finding) -> str:
    return f"{finding.door}-{finding.index}-{finding.kind}"


def _transcript(finding: Finding, seed: int, profile: str) -> str:
    lines = [
        f"{KINDS[finding.kind]} : {finding.what}",
        f"Pour rejouer : {replay(finding, seed, profile)}",
        "Les mots entre @ sont remplacés à l'envoi par ce que le banc connaît.",
    ]
    lines += [f"--> {piece!r}" for piece in finding.smallest]
    lines.append(f"<-- {finding.answer[:4000]!r}")
    return "\n".join(lines) + "\n"
