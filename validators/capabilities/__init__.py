"""Judging the capabilities answer of a Source, and its health check."""

from validators.capabilities import probe, wadl
from validators.capabilities.reading import Capabilities, Method, read
from validators.capabilities.rules import CAPABILITIES

__all__ = ["CAPABILITIES", "Capabilities", "Method", "probe", "read", "wadl"]
