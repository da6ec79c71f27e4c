"""The operator's defaults, by revision: a live database keeps those that it was made by.

A default that would restart PostgreSQL or replace the pooler's pods comes with a new revision.
Databases made from then on have it; an older one gets it when the annotation
`daap.io/defaults-revision` asks for it, at a time that suits (docs/upgrade.md).
"""

from collections.abc import Mapping

from daap_operator import names, raw
from daap_operator.errors import Stalled
from daap_operator.kinds.database.reasons import DatabaseReason

FIRST = 1
"""Of databases made before there were revisions."""
LIMITED = 2
"""From which on every container has limits, settings follow the memory, and pods stop in time."""
PROMPT = 3
"""From which on an instance that has started is seen within a second."""
NEWEST = PROMPT


def revision(allotted: int | None, *, made: bool, annotations: Mapping[str, str]) -> int:
    """The revision of one database.

    `allotted` is what its status or the Cluster that it takes over says, `made` whether there are
    children already. The annotation never lowers one, and counts only when there is such a
    revision: else a large number would have every upgrade that brings one restart the database.
    """
    current = allotted or (FIRST if made else NEWEST)
    wanted = raw.whole(annotations.get(names.DEFAULTS_REVISION, ""), _DIGITS)
    return max(current, wanted) if wanted <= NEWEST else current


def asked_in_vain(current: int, annotations: Mapping[str, str]) -> Stalled | None:
    """What to report of an annotation that asks for a revision that does not exist."""
    asked = annotations.get(names.DEFAULTS_REVISION)
    if not asked or 0 < raw.whole(asked, _DIGITS) <= max(current, NEWEST):
        return None
    return Stalled(
        DatabaseReason.NO_SUCH_REVISION,
        f"metadata.annotations[{names.DEFAULTS_REVISION}] '{asked[:_SHOWN]}' is not a revision of "
        f"the defaults, and the database keeps {current}: set it to a whole number from {FIRST} to "
        f"{NEWEST}, or remove it",
    )


_DIGITS = 9
_SHOWN = 63


def of_cluster(annotations: Mapping[str, str]) -> int:
    """The revision that a Cluster says it was made by."""
    return revision(FIRST, made=True, annotations=annotations)


def marks(current: int | None) -> dict[str, str]:
    """What a Cluster says of its revision; the first one needs no word."""
    return {names.DEFAULTS_REVISION: str(current)} if current and current > FIRST else {}
