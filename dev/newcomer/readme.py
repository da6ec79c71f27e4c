"""What the README promises a newcomer, read from it. Pure."""

import re
from dataclasses import dataclass

NUMBERS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "ten": 10,
    "fifteen": 15,
    "twenty": 20,
}


class ReadmeError(Exception):
    """The README lacks a promise that is held here; the message says which."""


@dataclass(frozen=True)
class Promises:
    """What a newcomer reads."""

    commands: tuple[str, ...]
    """The commands below "Try it", in their order."""
    shown_by: str
    """The command whose output is printed above."""
    header: tuple[str, ...]
    row: tuple[str, ...]
    """What it prints, word by word; the last word is an age."""
    first_minutes: int
    """How long `make demo` takes the first time."""
    later_minutes: int


def read(text: str) -> Promises:
    """The promises of a README. Raises ReadmeError."""
    tried = _found(r"## Try it\n(.*?)\n## ", text, "a section 'Try it'")
    shown = _found(r"```\n\$ (kubectl .*?)\n```", text, "a command with its output")
    command, header, row = shown.split("\n")
    return Promises(
        commands=tuple(re.findall(r"^ {4}(make [\w-]+)", tried, re.MULTILINE)),
        shown_by=command,
        header=tuple(header.split()),
        row=tuple(row.split()),
        first_minutes=_minutes(r"about (\w+) minutes the\s+first time", tried),
        later_minutes=_minutes(r"first time on two cores, (\w+) minutes? after that", tried),
    )


def difference(promises: Promises, printed: str) -> str | None:
    """How what kubectl printed differs from what the README shows; None when it does not."""
    lines = [tuple(line.split()) for line in printed.strip().splitlines()]
    if len(lines) != 2:
        return f"{promises.shown_by} printed {len(lines)} lines, README shows 2:\n{printed}"
    header, row = lines
    if (header, row[:-1]) != (promises.header, promises.row[:-1]):
        shown = "\n".join("  ".join(line) for line in (promises.header, promises.row))
        return f"{promises.shown_by} printed\n{printed}\nREADME shows\n{shown}"
    return None


def _minutes(pattern: str, text: str) -> int:
    word = _found(pattern, text, f"how long it takes ({pattern})")
    number = NUMBERS.get(word) or (int(word) if word.isdecimal() else 0)
    if not number:
        raise ReadmeError(f"README says '{word} minutes', which is not a number that is known here")
    return number


def _found(pattern: str, text: str, what: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    if found is None:
        raise ReadmeError(f"README lacks {what}")
    return found[1]
