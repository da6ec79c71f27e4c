"""The words of the runner, as a team has them in the spec. Pure."""

import re

_OPTIONS = {
    "--on-destructive": "spec.onDestructive",
    "--search-path": "spec.searchPath",
    "--baseline": "spec.baseline",
    "--ignore": "spec.lint.ignore",
    "--ledger": "spec.ledger",
    "--level": "spec.lint.level",
    "--role": "spec.role",
}
"""What the runner calls by its options, as a team has it in the spec."""


_MOUNTED = re.compile(r"'/files/(schema|fixtures)-([0-9]+)'")
"""Where the runner has the files of a source."""


def in_the_spec(text: str) -> str:
    """What the runner says, with the fields of the spec in the place of its options."""
    text = _MOUNTED.sub(r"spec.\1[\2]", text)
    for option, field in _OPTIONS.items():
        text = text.replace(option, field)
    return text
