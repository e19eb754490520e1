"""The local page of `drimbench serve`: what the simulators hold, their faults, what passed."""

from drimbench.counter.page import Page, open_page

__all__ = ["Page", "open_page"]
