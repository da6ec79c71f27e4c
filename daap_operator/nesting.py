"""JSON that others have nested, however deep. Pure.

The API server stores fields within fields ten thousand deep in `metadata.managedFields`, for
whoever may create an object. Python's parser recurses, and before 3.13 it gives up at a thousand.
"""

import json
import re
from typing import Any

DEEPEST = 100
"""Lists and objects within each other that are kept. No object of Kubernetes has 30."""

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def parsed(text: str | bytes) -> Any:
    """The value that a JSON text stands for; null in the place of what is nested too deep.

    Raises ValueError for what is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(shallow(text.decode() if isinstance(text, bytes) else text))


def shallow(text: str) -> str:
    """The same JSON with null in the place of whatever is nested deeper than DEEPEST."""
    kept, depth, done = [], 0, 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in ("{", "["):
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[done : found.start()], "null"]
        elif found[0] in ("}", "]"):
            depth -= 1
            if depth == DEEPEST:
                done = found.end()
    return "".join([*kept, text[done:]])
