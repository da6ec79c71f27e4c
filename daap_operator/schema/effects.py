"""Which statements cannot share a transaction with others. Pure."""

from collections.abc import Callable

from postgast.pg_query_pb2 import (
    AlterSubscriptionType,
    AlterTableType,
    DiscardMode,
    ReindexObjectType,
)

from daap_operator.schema.kinds import concurrent
from daap_operator.schema.names import dotted, options, switched_on
from daap_operator.schema.tree import Parsed, Tree

_WHOLE = ("SCHEMA", "SYSTEM", "DATABASE")
_NEVER = {
    "createdb_stmt",
    "dropdb_stmt",
    "create_table_space_stmt",
    "drop_table_space_stmt",
    "alter_system_stmt",
}


def transactional(parsed: Parsed) -> bool:
    """Whether it runs in a transaction with others.

    PostgreSQL refuses the rest in a transaction block (25001). It accepts ALTER TYPE … ADD VALUE,
    but nothing can use the value before the commit (55P04).
    """
    if concurrent(parsed) or parsed.name in _NEVER:
        return False
    alone = _ALONE.get(parsed.name)
    return not (alone and alone(parsed.node))


def own_transaction(parsed: Parsed) -> bool:
    """Whether it may run in a transaction, but in none with statements that come after it."""
    return parsed.name == "alter_enum_stmt" and not parsed.node.old_val


def new_index(parsed: Parsed) -> str:
    """The index that it creates with CONCURRENTLY, quoted, in its table's schema; else empty."""
    if parsed.name != "index_stmt" or not parsed.node.concurrent or not parsed.node.idxname:
        return ""
    return dotted([parsed.node.relation.schemaname, parsed.node.idxname])


def _detaches_concurrently(node: Tree) -> bool:
    return any(
        each.alter_table_cmd.subtype == AlterTableType.Value("AT_DetachPartition")
        and getattr(each.alter_table_cmd, "def").partition_cmd.concurrent
        for each in node.cmds
    )


def _creates_slot(node: Tree) -> bool:
    given = options(node.options)
    connects = switched_on(given, "connect", default=True)
    return connects and switched_on(given, "create_slot", default=True)


def _asks_publisher(node: Tree) -> bool:
    kind = AlterSubscriptionType.Name(node.kind)
    refreshes = switched_on(options(node.options), "refresh", default=True)
    return kind.endswith("REFRESH") or ("PUBLICATION" in kind and refreshes)


_ALONE: dict[str, Callable[[Tree], bool]] = {
    "vacuum_stmt": lambda node: bool(node.is_vacuumcmd),
    "cluster_stmt": lambda node: not node.HasField("relation"),
    "reindex_stmt": lambda node: ReindexObjectType.Name(node.kind).endswith(_WHOLE),
    "alter_enum_stmt": lambda node: not node.old_val,
    "alter_table_stmt": _detaches_concurrently,
    "alter_database_stmt": lambda node: "tablespace" in options(node.options),
    "create_subscription_stmt": _creates_slot,
    "alter_subscription_stmt": _asks_publisher,
    "drop_subscription_stmt": lambda _: True,
    "discard_stmt": lambda node: DiscardMode.Name(node.target) == "DISCARD_ALL",
}
