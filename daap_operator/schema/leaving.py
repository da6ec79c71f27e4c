"""What a command that a Job runs leaves behind for programs."""

import argparse
import contextlib
from collections.abc import Mapping
from typing import Any

from daap_operator.schema import outcome
from daap_operator.schema.telling import World


def leave(args: argparse.Namespace, document: Mapping[str, Any], world: World) -> None:
    """The whole report in the log of a container, and as much of it as fits as its last words."""
    contained = world.last_words.exists()
    if contained:
        with contextlib.suppress(OSError):  # the log below has it all
            world.last_words.write_text(outcome.told(document, outcome.LAST_WORDS_BYTES))
    if contained or args.json:
        world.out.write(outcome.told(document, outcome.LOG_BYTES) + "\n")
        world.out.flush()
