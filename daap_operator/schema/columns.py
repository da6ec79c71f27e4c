"""What adding a column costs: nothing, unless its values have to be worked out or checked. Pure."""

from collections.abc import Iterator

import postgast
from postgast.pg_query_pb2 import ConstrType

from daap_operator.schema import rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.names import quoted, strings
from daap_operator.schema.relations import Relation
from daap_operator.schema.tree import Tree

_WORDS = """
abs array_fill cardinality ceil concat concat_ws current_database current_schema current_setting
date date_part date_trunc decode encode floor format hashtext initcap int4range int8range
json_build_array json_build_object jsonb_build_array jsonb_build_object left length localtime
localtimestamp lower lpad make_date make_interval make_time make_timestamp make_timestamptz md5
mod now numrange power regexp_replace repeat replace right round row_to_json rpad sha256
split_part statement_timestamp substr substring timezone to_char to_date to_json to_jsonb
to_number to_timestamp transaction_timestamp translate trim trunc tsrange tstzrange upper
"""
_STABLE = frozenset(_WORDS.split())
"""PostgreSQL's functions that give the same for all rows of a statement. Of others that is not
known: a function is volatile unless it says otherwise."""
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})


def added(column: Tree, relation: Relation) -> Iterator[Candidate]:
    """What a column that is added to a table with rows makes it do."""
    what = f"ADD COLUMN {quoted(column.colname)} to {relation}"
    constraints = [each.constraint for each in column.constraints]
    kinds = {ConstrType.Name(each.contype).removeprefix("CONSTR_") for each in constraints}
    serial = bool(_SERIAL.intersection(strings(column.type_name.names)[-1:]))
    if serial or "IDENTITY" in kinds or any(_volatile(each) for each in constraints):
        yield Candidate(rules.VOLATILE_DEFAULT, what, relation)
    if any(_stored(each) for each in constraints):
        yield Candidate(rules.REWRITE, f"{what} GENERATED … STORED", relation)
    if kinds & {"PRIMARY", "UNIQUE"}:
        yield Candidate(rules.UNIQUE, what, relation)
    if kinds & {"CHECK", "FOREIGN"}:
        yield Candidate(rules.CONSTRAINT, what, relation)
    filled = serial or kinds & {"DEFAULT", "IDENTITY", "GENERATED"}
    if kinds & {"NOTNULL", "PRIMARY"} and not filled:
        yield Candidate(rules.REQUIRED_COLUMN, f"{what} NOT NULL", relation)


def _volatile(constraint: Tree) -> bool:
    if ConstrType.Name(constraint.contype) != "CONSTR_DEFAULT":
        return False
    return any(
        strings(node.funcname)[-1] not in _STABLE
        for _, node in postgast.walk(constraint.raw_expr)
        if type(node).DESCRIPTOR.name == "FuncCall"
    )


def _stored(constraint: Tree) -> bool:
    generated = ConstrType.Name(constraint.contype) == "CONSTR_GENERATED"
    return bool(generated and constraint.generated_kind != "v")
