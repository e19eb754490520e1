"""The national agency: it publishes the signed white list, rightly or wrongly; it watches boxes."""

from simulators.ans.faults import LIST, Other, menu
from simulators.ans.publication import Ans, Signer
from simulators.ans.weather import Glance, Sky, Station, Weather

__all__ = ["LIST", "Ans", "Glance", "Other", "Signer", "Sky", "Station", "Weather", "menu"]
