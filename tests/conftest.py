"""For the whole suite: Hypothesis asserts no seconds and tells how to replay; slow tests first."""

import pytest
from hypothesis import settings

settings.register_profile("drimbench", deadline=None, print_blob=True)
settings.load_profile("drimbench")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: one that begins last keeps a single core while the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
