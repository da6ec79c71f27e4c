"""The operator's defaults, by revision: a live database keeps those that it was made by.

A default that would restart PostgreSQL or replace the pooler's pods comes with a new revision.
Databases made from then on have it; an older one gets it when the annotation
`daap.io/defaults-revision` asks for it, at a time that suits (docs/upgrade.md).
"""

from collections.abc import Mapping

from daap_operator import names

FIRST = 1
"""Of databases made before there were revisions."""
LIMITED = 2
"""From which on every container has limits, settings follow the memory, and pods stop in time."""
NEWEST = LIMITED


def revision(allotted: int | None, *, made: bool, annotations: Mapping[str, str]) -> int:
    """The revision of one database.

    `allotted` is what its status or the Cluster that it takes over says, `made` whether there are
    children already. What the annotation asks for counts as far as there is such a revision, and
    never lowers one.
    """
    current = allotted or (FIRST if made else NEWEST)
    asked = annotations.get(names.DEFAULTS_REVISION, "")
    wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else current
    return max(current, min(wanted, NEWEST))


def of_cluster(annotations: Mapping[str, str]) -> int:
    """The revision that a Cluster says it was made by."""
    return revision(FIRST, made=True, annotations=annotations)


def marks(current: int | None) -> dict[str, str]:
    """What a Cluster says of its revision; the first one needs no word."""
    return {names.DEFAULTS_REVISION: str(current)} if current and current > FIRST else {}
