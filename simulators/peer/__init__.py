"""Another DRIMbox of the network, polite or rude: it asks a Source for images."""

from simulators.peer.client import Manners, PeerDrimbox, Retrieved, RetrievedPart

__all__ = ["Manners", "PeerDrimbox", "Retrieved", "RetrievedPart"]
