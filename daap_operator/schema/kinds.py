"""What statements are, by their nodes: the kind, in PostgreSQL's words for it. Pure."""

from collections.abc import Callable

from postgast.pg_query_pb2 import ObjectType, VariableSetKind

from daap_operator.schema.names import options, switched_on
from daap_operator.schema.tree import Parsed, Tree

_KINDS = {
    "create_stmt": "CREATE TABLE",
    "index_stmt": "CREATE INDEX",
    "view_stmt": "CREATE VIEW",
    "rule_stmt": "CREATE RULE",
    "create_trig_stmt": "CREATE TRIGGER",
    "create_event_trig_stmt": "CREATE EVENT TRIGGER",
    "alter_event_trig_stmt": "ALTER EVENT TRIGGER",
    "create_seq_stmt": "CREATE SEQUENCE",
    "alter_seq_stmt": "ALTER SEQUENCE",
    "composite_type_stmt": "CREATE TYPE",
    "create_enum_stmt": "CREATE TYPE",
    "create_range_stmt": "CREATE TYPE",
    "alter_type_stmt": "ALTER TYPE",
    "create_stats_stmt": "CREATE STATISTICS",
    "alter_stats_stmt": "ALTER STATISTICS",
    "create_p_lang_stmt": "CREATE LANGUAGE",
    "create_table_space_stmt": "CREATE TABLESPACE",
    "drop_table_space_stmt": "DROP TABLESPACE",
    "createdb_stmt": "CREATE DATABASE",
    "dropdb_stmt": "DROP DATABASE",
    "create_foreign_server_stmt": "CREATE SERVER",
    "alter_foreign_server_stmt": "ALTER SERVER",
    "create_am_stmt": "CREATE ACCESS METHOD",
    "create_op_class_stmt": "CREATE OPERATOR CLASS",
    "create_op_family_stmt": "CREATE OPERATOR FAMILY",
    "alter_op_family_stmt": "ALTER OPERATOR FAMILY",
    "refresh_mat_view_stmt": "REFRESH MATERIALIZED VIEW",
    "sec_label_stmt": "SECURITY LABEL",
    "constraints_set_stmt": "SET CONSTRAINTS",
    "alter_database_set_stmt": "ALTER DATABASE",
    "alter_role_set_stmt": "ALTER ROLE",
    "alter_extension_contents_stmt": "ALTER EXTENSION",
    "alter_ts_dictionary_stmt": "ALTER TEXT SEARCH DICTIONARY",
    "alter_ts_configuration_stmt": "ALTER TEXT SEARCH CONFIGURATION",
}
"""Where the name of the node does not say it."""

_OBJECTS = {
    "MATVIEW": "MATERIALIZED VIEW",
    "TABCONSTRAINT": "CONSTRAINT",
    "DOMCONSTRAINT": "DOMAIN CONSTRAINT",
    "FOREIGN_SERVER": "SERVER",
    "FDW": "FOREIGN DATA WRAPPER",
    "OPCLASS": "OPERATOR CLASS",
    "OPFAMILY": "OPERATOR FAMILY",
    "STATISTIC_EXT": "STATISTICS",
    "TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "TSPARSER": "TEXT SEARCH PARSER",
    "TSTEMPLATE": "TEXT SEARCH TEMPLATE",
}


def object_kind(number: int) -> str:
    """What an ObjectType is called: `MATERIALIZED VIEW`."""
    name: str = ObjectType.Name(number).removeprefix("OBJECT_")
    return _OBJECTS.get(name, name.replace("_", " "))


def kind(parsed: Parsed) -> str:
    """What a statement is: `CREATE TABLE`, `DROP INDEX CONCURRENTLY`, `ALTER TYPE ADD VALUE`."""
    words = _kind(parsed.name, parsed.node)
    return f"{words} CONCURRENTLY" if concurrent(parsed) else words


def concurrent(parsed: Parsed) -> bool:
    """Whether it is an index statement with CONCURRENTLY."""
    match parsed.name:
        case "index_stmt" | "drop_stmt":
            return bool(parsed.node.concurrent)
        case "reindex_stmt":
            return switched_on(options(parsed.node.params), "concurrently")
        case _:
            return False


def _kind(name: str, node: Tree) -> str:
    said = _SAID.get(name)
    if said:
        return said(node)
    return _KINDS.get(name) or name.removesuffix("_stmt").replace("_", " ").upper()


def _renamed(node: Tree) -> str:
    name = ObjectType.Name(node.rename_type)
    if name in {"OBJECT_COLUMN", "OBJECT_ATTRIBUTE"}:
        return f"ALTER {object_kind(node.relation_type)}"
    return f"ALTER {_PARTS.get(name) or object_kind(node.rename_type)}"


def _created_as(node: Tree) -> str:
    into = object_kind(node.objtype)
    return f"CREATE {into}" + (" AS" if into == "TABLE" else "")


def _altered(node: Tree) -> str:
    return f"ALTER {object_kind(node.object_type)}"


def _granted(node: Tree) -> str:
    return "GRANT" if node.is_grant else "REVOKE"


_PARTS = {"OBJECT_TABCONSTRAINT": "TABLE", "OBJECT_DOMCONSTRAINT": "DOMAIN"}
_SAID: dict[str, Callable[[Tree], str]] = {
    "drop_stmt": lambda node: f"DROP {object_kind(node.remove_type)}",
    "alter_table_stmt": lambda node: f"ALTER {object_kind(node.objtype)}",
    "rename_stmt": _renamed,
    "alter_owner_stmt": _altered,
    "alter_object_schema_stmt": _altered,
    "alter_object_depends_stmt": _altered,
    "define_stmt": lambda node: f"CREATE {object_kind(node.kind)}",
    "create_table_as_stmt": _created_as,
    "alter_enum_stmt": lambda node: "ALTER TYPE" + ("" if node.old_val else " ADD VALUE"),
    "grant_stmt": _granted,
    "grant_role_stmt": _granted,
    "vacuum_stmt": lambda node: "VACUUM" if node.is_vacuumcmd else "ANALYZE",
    "create_function_stmt": lambda node: (
        f"CREATE {'PROCEDURE' if node.is_procedure else 'FUNCTION'}"
    ),
    "variable_set_stmt": lambda node: (
        "RESET" if "RESET" in VariableSetKind.Name(node.kind) else "SET"
    ),
}
"""Where a field of the node says it."""
