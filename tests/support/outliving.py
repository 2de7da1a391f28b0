"""What a failed test leaves behind is ended with it."""

import gc
import threading
from collections.abc import Iterator

import aiosqlite
import pytest


@pytest.fixture(autouse=True)
def no_thread_outlives_a_test() -> Iterator[None]:
    """A storage that was opened and not closed has threads that wait for work: pytest could never end.

    It is set up before all other fixtures of a test, so they have closed what they opened when it is its turn.
    """
    before = set(threading.enumerate())
    yield
    if any(not thread.daemon for thread in set(threading.enumerate()) - before):
        for connection in [one for one in gc.get_objects() if isinstance(one, aiosqlite.Connection)]:
            aiosqlite.Connection.stop(connection)
            connection._thread.join()
