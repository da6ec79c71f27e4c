"""Statements that the database's owner may not run, or that change who runs the rest. Pure."""

from collections.abc import Callable, Iterator

from postgast.pg_query_pb2 import DiscardMode, ObjectType, PublicationObjSpecType, RoleSpecType

from daap_operator.schema import rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.kinds import kind
from daap_operator.schema.names import options, quoted
from daap_operator.schema.relations import commands, subtype
from daap_operator.schema.tree import Parsed, Tree

NEVER = frozenset(
    {
        "alter_event_trig_stmt",
        "alter_fdw_stmt",
        "alter_op_family_stmt",
        "alter_role_stmt",
        "alter_system_stmt",
        "alter_table_space_options_stmt",
        "check_point_stmt",
        "create_am_stmt",
        "create_event_trig_stmt",
        "create_fdw_stmt",
        "create_op_class_stmt",
        "create_op_family_stmt",
        "create_p_lang_stmt",
        "create_role_stmt",
        "create_subscription_stmt",
        "create_table_space_stmt",
        "createdb_stmt",
        "drop_role_stmt",
        "drop_table_space_stmt",
        "dropdb_stmt",
        "grant_role_stmt",
        "load_stmt",
    }
)
"""Superusers only, or roles that a database's owner is not given."""
_WORDS = """
adminpack amcheck autoinc bloom dblink earthdistance file_fdw hstore_plpython3u insert_username
intagg jsonb_plpython3u ltree_plpython3u moddatetime pageinspect pg_buffercache pg_cron
pg_freespacemap pg_logicalinspect pg_prewarm pg_stat_statements pg_surgery pg_visibility
pg_walinspect pgaudit pgrowlocks pgstattuple plperlu plpython3u pltclu postgis_topology
postgres_fdw refint sslinfo test_decoding timescaledb xml2
"""
UNTRUSTED = frozenset(_WORDS.split())
"""Extensions that are not trusted: https://www.postgresql.org/docs/current/contrib.html"""
_LANGUAGES = {"c", "internal", "plperlu", "plpython3u", "pltclu"}
_SETTINGS = {
    "allow_system_table_mods",
    "ignore_system_indexes",
    "log_min_duration_statement",
    "log_min_messages",
    "log_statement",
    "session_replication_role",
    "temp_file_limit",
    "zero_damaged_pages",
}
_ROLES = {"role", "session_authorization"}
_TIMEOUTS = {
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
}


def found(parsed: Parsed) -> Iterator[Candidate]:
    """What in a statement the owner may not, or should leave to the runner."""
    if parsed.name in NEVER:
        yield Candidate(rules.NOT_THE_OWNERS, kind(parsed))
    finding = _FINDING.get(parsed.name)
    if finding:
        yield from finding(parsed.node)
    for command in commands(parsed):
        if subtype(command) == "AT_ChangeOwner":
            yield from _owner(command.newowner)


def _defined(node: Tree) -> Iterator[Candidate]:
    if ObjectType.Name(node.kind) == "OBJECT_TYPE":
        yield Candidate(rules.NOT_THE_OWNERS, "CREATE TYPE of a base type")


def _cast(node: Tree) -> Iterator[Candidate]:
    if not node.HasField("func") and not node.inout:
        yield Candidate(rules.NOT_THE_OWNERS, "CREATE CAST WITHOUT FUNCTION")


def _function(node: Tree) -> Iterator[Candidate]:
    language = options(node.options).get("language", "")
    if language in _LANGUAGES:
        yield Candidate(rules.NOT_THE_OWNERS, f"LANGUAGE {language}")


def _copied(node: Tree) -> Iterator[Candidate]:
    if node.filename:
        where = "PROGRAM" if node.is_program else "a file of the server"
        yield Candidate(rules.NOT_THE_OWNERS, f"COPY {'from' if node.is_from else 'to'} {where}")


def _publication(node: Tree) -> Iterator[Candidate]:
    schemas = any(
        "SCHEMA" in PublicationObjSpecType.Name(each.publication_obj_spec.pubobjtype)
        for each in node.pubobjects
    )
    if node.for_all_tables or schemas:
        what = "CREATE PUBLICATION FOR " + ("ALL TABLES" if not schemas else "TABLES IN SCHEMA")
        yield Candidate(rules.NOT_THE_OWNERS, what)


def _set(node: Tree) -> Iterator[Candidate]:
    name = node.name.lower()
    if name in _SETTINGS:
        yield Candidate(rules.NOT_THE_OWNERS, f"SET {name}")
    elif name in _ROLES:
        yield Candidate(rules.ROLE, f"SET {name.replace('_', ' ').upper()}")
    elif name in _TIMEOUTS and not node.is_local:
        yield Candidate(rules.TIMEOUTS, f"SET {name}")


def _owner(role: Tree) -> Iterator[Candidate]:
    if RoleSpecType.Name(role.roletype) == "ROLESPEC_CSTRING":
        yield Candidate(rules.OWNER, f"OWNER TO {quoted(role.rolename)}")


def _extension(node: Tree) -> Iterator[Candidate]:
    if node.extname in UNTRUSTED:
        yield Candidate(rules.EXTENSION, f"CREATE EXTENSION {quoted(node.extname)}")


def _discarded(node: Tree) -> Iterator[Candidate]:
    if DiscardMode.Name(node.target) == "DISCARD_ALL":
        yield Candidate(rules.DISCARD, "DISCARD ALL")


def _schema(node: Tree) -> Iterator[Candidate]:
    if node.HasField("authrole"):
        yield from _owner(node.authrole)


_FINDING: dict[str, Callable[[Tree], Iterator[Candidate]]] = {
    "define_stmt": _defined,
    "create_cast_stmt": _cast,
    "create_function_stmt": _function,
    "copy_stmt": _copied,
    "create_publication_stmt": _publication,
    "variable_set_stmt": _set,
    "alter_owner_stmt": lambda node: _owner(node.newowner),
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "discard_stmt": _discarded,
}
