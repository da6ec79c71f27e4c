"""Cancellations that a library has swallowed.

Before Python 3.12 `asyncio.wait_for`, which psycopg's pool uses, loses a cancellation that comes
together with the result. A loop that goes on after that can never be stopped.
https://github.com/python/cpython/issues/86296
"""

import asyncio


def heed() -> None:
    """Raise the cancellation that was asked for and has not been raised: once in every loop."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
