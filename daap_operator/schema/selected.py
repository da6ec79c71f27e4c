"""Which names of a source are those of its files, for the operator and for the runner. Pure."""

import re
from collections.abc import Callable
from fnmatch import translate

ALL = "*.sql"
"""The pattern that every source has unless it says otherwise."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Says of a name whether it is meant to be a file's; to be made once for all names.

    With ALL also one that only nearly has such a name: what ends with .SQL is refused by its name
    then, and not overlooked. Compiled by `re`, which keeps 512 patterns: `fnmatch` would keep
    32,768, with some 7 KB each. To translate a pattern takes longer than to match a name.
    """
    if pattern == ALL:
        return _nearly
    matches = re.compile(translate(pattern)).match
    return lambda name: matches(name) is not None


def _nearly(name: str) -> bool:
    return name.lower().endswith(".sql") and not name.startswith(".")
