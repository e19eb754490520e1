"""The DMP: XDS.b registry and repository, existence test and authorisations, as a real service."""

from simulators.dmp.config import CrashPoint, DmpConfig, DmpOptions, Trust
from simulators.dmp.dmp import Dmp, build
from simulators.dmp.patients import CONFORMITY_PATIENTS, DmpState, Patient
from simulators.dmp.store import Stored

__all__ = [
    "CONFORMITY_PATIENTS",
    "CrashPoint",
    "Dmp",
    "DmpConfig",
    "DmpOptions",
    "DmpState",
    "Patient",
    "Stored",
    "Trust",
    "build",
]
