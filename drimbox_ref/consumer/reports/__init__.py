"""Reports of the DMP made readable: the producer's own style sheet first, else ours (CDA/VISU.01).

What comes is another's: it is read with limits, transformed in a process of its own that can touch
nothing, and shown in a frame that can neither run, send nor fetch anything.
"""

from drimbox_ref.consumer.reports.reading import Reading, ReportUnreadable
from drimbox_ref.consumer.reports.rendering import MAX_BYTES, Rendering, Written, present, read

__all__ = [
    "MAX_BYTES",
    "Reading",
    "Rendering",
    "ReportUnreadable",
    "Written",
    "present",
    "read",
]
