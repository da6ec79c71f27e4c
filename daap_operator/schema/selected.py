"""Which names of a source are those of its files, for the operator and for the runner. Pure."""

import re
from fnmatch import translate

ALL = "*.sql"
"""The pattern that every source has unless it says otherwise."""


def selected(pattern: str, name: str) -> bool:
    """Whether a name is meant to be a file's; with ALL also one that only nearly has such a name.

    What ends with .SQL is refused by its name then, and not overlooked. Compiled by `re`, which
    keeps 512 patterns: `fnmatch` would keep 32,768, with some 7 KB each.
    """
    if pattern == ALL:
        return name.lower().endswith(".sql") and not name.startswith(".")
    return re.compile(translate(pattern)).match(name) is not None
