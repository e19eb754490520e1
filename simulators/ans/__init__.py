"""The national agency: it publishes the signed white list, rightly or wrongly."""

from simulators.ans.faults import LIST, Other, menu
from simulators.ans.publication import Ans, Signer

__all__ = ["LIST", "Ans", "Other", "Signer", "menu"]
