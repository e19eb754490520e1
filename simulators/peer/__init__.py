"""Another DRIMbox of the network, polite or rude: it asks a Source for images, or serves some."""

from simulators.peer.client import Manners, PeerDrimbox, Retrieved, RetrievedPart, Watch
from simulators.peer.entry import entry_of
from simulators.peer.server import Offer, PeerSource, manifest_of

__all__ = [
    "Manners",
    "Offer",
    "PeerDrimbox",
    "PeerSource",
    "Retrieved",
    "RetrievedPart",
    "Watch",
    "entry_of",
    "manifest_of",
]
