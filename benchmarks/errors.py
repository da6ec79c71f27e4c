"""What ends a run."""


class BenchError(Exception):
    """A run cannot go on; the message says what did not happen, and where to look."""
