"""All that the operator may do: what the chart grants and docs/reference/rbac.md explains. Pure."""

from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import ENGINE
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.ports import review


def rights(kinds: Kinds) -> tuple[Right, ...]:
    """What serving these kinds takes: their own rights, the engine's, and the ports'."""
    return (*(right for kind in kinds for right in kind.rights), *ENGINE, *review.RIGHTS)


RIGHTS = rights(KINDS)
"""What serving all kinds takes."""
