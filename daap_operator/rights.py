"""All that the operator may do: what the chart grants and docs/reference/rbac.md explains. Pure."""

from daap_operator.engine.rights import ENGINE
from daap_operator.kinds.database.rights import RIGHTS as DATABASE

RIGHTS = (*DATABASE, *ENGINE)
"""The engine's, and those of each kind that is served."""
