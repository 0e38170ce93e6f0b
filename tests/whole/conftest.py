"""One thing of every kind: what strangers must not find, and what has a hostile name."""

from tests.whole.test_isolation import planted
from tests.whole.test_routes import ours

__all__ = ["ours", "planted"]
