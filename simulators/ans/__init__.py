"""The national agency: it publishes the signed white list, rightly or wrongly."""

from simulators.ans.publication import Ans, ListFault, Signer

__all__ = ["Ans", "ListFault", "Signer"]
