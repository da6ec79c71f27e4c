"""Waits of the operator that are patience alone, shortened: a run has seconds, not minutes.

Each is how long is waited for what may still come, or looked for what no event tells of. What must
come right by an event does so without them.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import daap_operator.kinds.backup.controller as backups
import daap_operator.kinds.database.final_backup as final_backups
import daap_operator.kinds.database.replacement as replacements
import daap_operator.kinds.drill.controller as drills
import daap_operator.kinds.restore.controller as restores
from tests.support.drills import PATCHED

SHORTENED = (
    (backups, "DOUBT_SECONDS", 3.0),
    (final_backups, "RETRY_SECONDS", 3.0),
    (replacements, "LOOK_SECONDS", 0.3),
    (drills, "CHECKED_SECONDS", 0.3),
    (restores, "LOOK_SECONDS", 0.3),
)


@contextmanager
def quickened() -> Iterator[None]:
    """All of them; and a drill on a schedule is due at once, and again in each minute."""
    with ExitStack() as stack:
        for module, name, seconds in SHORTENED:
            stack.enter_context(patch.object(module, name, seconds))
        stack.enter_context(patch.object(*PATCHED))
        yield
