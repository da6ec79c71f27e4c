"""All that a file's text tells, without knowing which other files it is applied with. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daap_operator.schema import blocking, deleting, permitted, repeating, rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.certain import NOTHING, Effect, effect
from daap_operator.schema.effects import transactional
from daap_operator.schema.kinds import concurrent, kind
from daap_operator.schema.locks import Taken, locks
from daap_operator.schema.model import Part, Statement
from daap_operator.schema.names import object_name
from daap_operator.schema.parsing import runnable, statement
from daap_operator.schema.relations import Relation, created, dropped
from daap_operator.schema.tree import Parsed

OWN_SCHEMA = "daap_schema"


@dataclass(frozen=True, slots=True)
class Examined:
    """A statement, and what of it depends on which relations are new; small as a Statement."""

    statement: Statement
    locks: Sequence[Taken] = ()
    created: Sequence[Relation] = ()
    dropped: Sequence[Relation] = ()
    effect: Effect = NOTHING
    candidates: Sequence[Candidate] = ()


def examined(text: str, part: Part) -> tuple[Examined, ...]:
    """Each statement of a file. Raises SyntaxFault."""
    found = runnable(text)
    further: dict[int, list[Candidate]] = {}
    if part is Part.FIXTURES:
        for place, candidate in repeating.found(found):
            further.setdefault(place, []).append(candidate)
    alone = _mixed(found)
    if alone is not None:
        mixed = Candidate(rules.MIXED, kind(found[alone]))
        further.setdefault(alone, []).append(mixed)
    return tuple(_examined(each, further.get(place, ())) for place, each in enumerate(found))


def _examined(parsed: Parsed, further: Sequence[Candidate]) -> Examined:
    taken, new, gone = locks(parsed), created(parsed), dropped(parsed)
    candidates = [
        *deleting.found(parsed),
        *blocking.found(parsed),
        *permitted.found(parsed),
        *_unnamed(parsed),
        *_ledger(parsed, [*new, *gone, *(each.relation for each in taken)]),
        *further,
    ]
    return Examined(
        statement=statement(parsed),
        locks=tuple(taken),
        created=tuple(new),
        dropped=tuple(gone),
        effect=effect(parsed),
        candidates=tuple(candidates),
    )


def _unnamed(parsed: Parsed) -> Iterator[Candidate]:
    if parsed.name == "index_stmt" and concurrent(parsed) and not parsed.node.idxname:
        yield Candidate(rules.UNNAMED_INDEX, kind(parsed))


def _ledger(parsed: Parsed, relations: Sequence[Relation]) -> Iterator[Candidate]:
    names = {each.schema for each in relations}
    match parsed.name:
        case "create_schema_stmt":
            names.add(parsed.node.schemaname)
        case "drop_stmt":
            names.update(object_name(each) for each in parsed.node.objects)
        case "rename_stmt":
            names.add(parsed.node.subname)
        case "alter_object_schema_stmt":
            names.add(parsed.node.newschema)
    if OWN_SCHEMA in names:
        yield Candidate(rules.LEDGER, kind(parsed))


def _mixed(found: Sequence[Parsed]) -> int | None:
    """The first statement that keeps a file out of one transaction, if others could share one."""
    settings = {"variable_set_stmt"}
    alone = [place for place, each in enumerate(found) if not transactional(each)]
    shares = any(transactional(each) and each.name not in settings for each in found)
    return alone[0] if alone and shares else None
