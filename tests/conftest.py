"""For the whole suite: Hypothesis asserts no seconds and tells how to replay; slow tests first;
Ctrl-C is heard by what the tests start."""

import signal

import pytest
from hypothesis import settings

settings.register_profile("drimbench", deadline=None, print_blob=True)
settings.load_profile("drimbench")

# A shell that is not interactive starts what it leaves in the background deaf to SIGINT, and every
# program started from there inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: one that begins last keeps a single core while the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
