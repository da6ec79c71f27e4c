"""What the operator of each run said: kept short, shown with a violation only."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from daap_operator.logs import TextFormatter

LINES = 400
"""Kept of a run."""

NOISY = ("kopf", "psycopg.pool")
"""What they have to say of an outage is a line a try."""

watches: deque[str] = deque(maxlen=LINES)
"""What the threads of the watches said, of all runs together."""

_pages: ContextVar[deque[str] | None] = ContextVar("page", default=None)


class Logbook(logging.Handler):
    """Sorts lines by the task they come from; those of kopf's threads are on a page of all runs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        page = _pages.get()
        (watches if page is None else page).append(self.format(record))


def new_page() -> deque[str]:
    """Begin a page for this task, and for all that it starts from now on."""
    page: deque[str] = deque(maxlen=LINES)
    _pages.set(page)
    return page


@contextmanager
def kept() -> Iterator[None]:
    """Keep the operators' lines, and show none of them; what libraries say is dropped."""
    ours = logging.getLogger("daap_operator")
    loggers = [ours, *map(logging.getLogger, NOISY)]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    book = Logbook()
    book.setFormatter(TextFormatter())
    ours.addHandler(book)
    for logger in loggers:
        logger.propagate = False
        logger.setLevel(logging.INFO if logger is ours else logging.CRITICAL)
    try:
        yield
    finally:
        ours.removeHandler(book)
        for logger, level, propagate in before:
            logger.setLevel(level)
            logger.propagate = propagate
