"""A bed, its doors, a campaign on them, and what may be struck at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path

from bench.bed import Bed
from bench.errors import BenchError
from bench.profile import Profile
from load.fuzz.campaign import Campaign, Limits, Telling
from load.fuzz.doors import ROLES, open_doors
from load.fuzz.seeds import seeded
from load.soak.hearing import Ear
from wire.shard import Shard

__all__ = ["check", "fuzz"]

_ADDRESSES = {
    "mllp": ("mllp", "mllps"),
    "dimse": ("dicom", "mllp", "mllps"),
    "wado": ("wado", "mllp", "mllps"),
    "oidc": ("web",),
    "drim-call": ("web",),
}


def check(profile: Profile, doors: Sequence[str]) -> None:
    """Refuse what nobody gave up in writing.

    Raises:
        BenchError: a box elsewhere that `fuzz.hosts` does not name, a role that is not claimed.
    """
    for door in doors:
        role = ROLES[door]
        if not getattr(profile.claims, role):
            raise BenchError(f"{door} : le profil ne revendique pas ce rôle (claims.{role})")
        box = profile.source if role == "source" else profile.consumer
        for key in _ADDRESSES.get(door, ()):
            host = str(getattr(box, key)).rpartition(":")[0].strip("[]")
            if host and not _loopback(host) and host not in profile.fuzz.hosts:
                raise BenchError(
                    f"{role}.{key} = {host} : hors de cette machine ; fuzz.hosts du profil doit le "
                    "nommer, avec l'accord écrit de son responsable"
                )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fuzz(
    profile: Profile,
    doors: Sequence[str],
    seed: int,
    limits: Limits,
    *,
    source_command: Sequence[str] = (),
    consumer_command: Sequence[str] = (),
    tell: Telling = lambda *_: None,
    preparing: Callable[[str], None] = lambda _: None,
) -> Campaign:
    """Start a bed and play a campaign on it.

    Raises:
        BenchError, bench.process.BoxFailure, TimeoutError: it could not be prepared.
    """
    check(profile, doors)
    with tempfile.TemporaryDirectory(prefix="drimbench-fuzz-") as name:
        shard = Shard(Path(name), "fuzz")
        bed = Bed(
            profile,
            Ear(shard, kept=False),
            Path(name),
            seed,
            source_command=source_command,
            consumer_command=consumer_command,
            roles=frozenset(ROLES[door] for door in doors),
        )
        try:
            preparing("banc et boîtes")
            bed.start()
            opened = open_doors(bed, doors, seeded(seed, profile))
            for door in opened:
                if told := door.twin():
                    raise BenchError(
                        f"{door.name} : la demande valide n'a pas sa réponse, avant tout cas "
                        f"fautif : {told}"
                    )
            campaign = Campaign(opened, seed, limits, tell)
            campaign.play()
            return campaign
        finally:
            bed.stop()
            shard.close()
