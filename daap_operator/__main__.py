"""The command `daap-operator`, also as `python -m daap_operator`.

A command of `schema` runs in a Job for each look at a database, and needs nothing of the operator,
whose import takes longer than such a look: only the other commands wait for it.
"""

import importlib
import os
import signal
import sys
from types import FrameType

from daap_operator.schema import command


def main() -> int:
    """Run the command; the exit code."""
    signal.signal(signal.SIGTERM, _end)
    first, called, *_ = [*sys.argv[1:], "", ""]
    if first == "schema" and called in {each.name for each in command.COMMANDS}:
        return command.main(sys.argv[2:], os.environ)
    return int(importlib.import_module("daap_operator.cli").main())


def _end(number: int, frame: FrameType | None) -> None:
    """End as a signal ends any process: without a handler the first one of a container ignores it.

    Whatever has to be tidied up before, such as what `run` does, has a handler of its own.
    """
    del frame
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
