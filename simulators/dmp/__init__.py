"""The DMP: XDS.b registry and repository, existence test and authorisations, as a real service."""

from simulators.dmp.bearer import ApiAccess
from simulators.dmp.config import DmpConfig, DmpOptions, Trust
from simulators.dmp.dmp import Dmp, build
from simulators.dmp.faults import MENU, Cut
from simulators.dmp.hostile import PARTS as TRAPPED_PARTS
from simulators.dmp.hostile import TRAPS
from simulators.dmp.patients import CONFORMITY_PATIENTS, DmpState, Patient
from simulators.dmp.store import Stored

__all__ = [
    "CONFORMITY_PATIENTS",
    "MENU",
    "ApiAccess",
    "Cut",
    "Dmp",
    "DmpConfig",
    "DmpOptions",
    "DmpState",
    "Patient",
    "Stored",
    "TRAPPED_PARTS",
    "TRAPS",
    "Trust",
    "build",
]
