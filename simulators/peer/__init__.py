"""Another DRIMbox of the network, polite or rude: it asks a Source for images, or serves some."""

from simulators.peer.client import Manners, PeerDrimbox, Retrieved, RetrievedPart, Watch
from simulators.peer.entry import entry_of
from simulators.peer.faults import MENU, Written
from simulators.peer.hostile import MARKUP, TRAPS
from simulators.peer.manifest import RetrieveUrl, manifest_of, right_url
from simulators.peer.offers import Offer
from simulators.peer.server import PeerSource

__all__ = [
    "MARKUP",
    "MENU",
    "TRAPS",
    "Manners",
    "Offer",
    "PeerDrimbox",
    "PeerSource",
    "Retrieved",
    "RetrieveUrl",
    "RetrievedPart",
    "Watch",
    "Written",
    "entry_of",
    "manifest_of",
    "right_url",
]
