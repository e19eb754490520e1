"""For the whole suite: Hypothesis asserts no seconds and tells how to replay; slow tests first;
Ctrl-C is heard by what the tests start; one loop in a thread for the beds of a module."""

import signal
from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
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


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """Where the servers of a module's tests run while its tests wait."""
    with start_blocking_portal("asyncio") as made:
        yield made
