"""The command `daap-operator`, also as `python -m daap_operator`.

A command of `schema` runs in a Job for each look at a database, and needs nothing of the operator,
whose import takes longer than such a look: only the other commands wait for it.
"""

import importlib
import os
import sys

from daap_operator.schema import command


def main() -> int:
    """Run the command; the exit code."""
    first, called, *_ = [*sys.argv[1:], "", ""]
    if first == "schema" and called in {each.name for each in command.COMMANDS}:
        return command.main(sys.argv[2:], os.environ)
    return int(importlib.import_module("daap_operator.cli").main())


if __name__ == "__main__":
    sys.exit(main())
