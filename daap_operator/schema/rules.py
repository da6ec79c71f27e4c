"""Every finding there is: its rule, its level, what it means, what to write instead. Pure.

`docs/schema.md` has the same table. A name is for ever: people leave rules out by it.
"""

from dataclasses import dataclass

from daap_operator.schema import faults
from daap_operator.schema.model import Level


@dataclass(frozen=True)
class Rule:
    """What a finding of this name means, to follow what it was found in, and what to do then."""

    name: str
    level: Level
    meaning: str
    remedy: str
    destructive: bool = False


def error(name: str, meaning: str, remedy: str) -> Rule:
    """A rule whose findings stop the file."""
    return Rule(name, Level.ERROR, meaning, remedy)


def warning(name: str, meaning: str, remedy: str) -> Rule:
    """A rule whose findings are for a reviewer."""
    return Rule(name, Level.WARNING, meaning, remedy)


def _deletes(name: str, meaning: str, remedy: str) -> Rule:
    return Rule(name, Level.WARNING, meaning, remedy, destructive=True)


_UNUSED = "release first what no longer uses it, and have a backup"

FAULTS = (
    error(faults.SYNTAX, "PostgreSQL cannot parse it", "correct it"),
    error(
        faults.BYTES,
        "the file holds a byte 0x00, which no text in PostgreSQL can have",
        "save it as UTF-8 text",
    ),
    error(
        faults.NESTING,
        "a statement is nested too deeply, or has too many operator characters in a row, to be "
        "parsed within bounds",
        "split it",
    ),
    error(
        faults.METACOMMAND,
        "a command of psql (`\\i`, `\\gset`): the files are not run by psql",
        "write SQL; put included files beside this one",
    ),
    error(
        faults.VARIABLE,
        "a variable of psql (`:name`): the files are not run by psql",
        "write the value",
    ),
    error(
        faults.COPY,
        "COPY from or to the client: there is no client to read data from the file",
        "write INSERT statements",
    ),
    error(
        faults.TRANSACTION,
        "BEGIN, COMMIT, SAVEPOINT and the like: the runner begins and ends the transactions",
        "leave it out",
    ),
)
"""Why a file cannot be parsed into statements that can be run: the first is found, and no other."""

DROP_TABLE = _deletes("drop-table", "deletes the table with all its rows", _UNUSED)
DROP_COLUMN = _deletes("drop-column", "deletes all values of the column", _UNUSED)
DROP_SCHEMA = _deletes("drop-schema", "deletes the schema", _UNUSED)
DROP_TYPE = _deletes("drop-type", "deletes the type", _UNUSED)
DROP_SEQUENCE = _deletes("drop-sequence", "deletes the sequence and where it is", _UNUSED)
DROP_EXTENSION = _deletes(
    "drop-extension", "deletes the extension with its types, functions and tables", _UNUSED
)
DROP_OWNED = _deletes("drop-owned", "deletes all that a role owns", "drop each object by its name")
DROP_CASCADE = _deletes(
    "drop-cascade",
    "CASCADE also deletes what depends on it and is not named here",
    "drop what depends on it by its own name, before",
)
TRUNCATE = _deletes(
    "truncate", "deletes all rows of the table", "delete the rows that are meant, by a WHERE"
)
DELETE_ALL = _deletes(
    "delete-without-where",
    "deletes all rows of the table",
    "say in a WHERE which rows are meant",
)
UPDATE_ALL = _deletes(
    "update-without-where",
    "overwrites the column in all rows of the table",
    "say in a WHERE which rows are meant, if only those that do not have the value yet",
)
HIDDEN = _deletes(
    "hidden-deletion",
    "the block has DROP, TRUNCATE or DELETE in it, which is not judged any further",
    "write the statement outside of a block",
)

INDEX = warning(
    "index-blocks-writes",
    "nobody can write to the table while the index is built",
    "CREATE INDEX CONCURRENTLY, in a file of its own",
)
DROP_INDEX = warning(
    "drop-index-blocks",
    "waits for all queries of the table, and all later ones wait behind it",
    "DROP INDEX CONCURRENTLY, in a file of its own",
)
REINDEX = warning(
    "reindex-blocks",
    "nobody can write to the table while its indexes are built again",
    "REINDEX … CONCURRENTLY, in a file of its own",
)
CONSTRAINT = warning(
    "constraint-scans-table",
    "all rows are checked while nobody can write to the table",
    "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in the next file",
)
UNIQUE = warning(
    "constraint-builds-index",
    "an index is built while nobody can use the table",
    "CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT … USING INDEX",
)
EXCLUDE = warning(
    "exclusion-builds-index",
    "an index is built while nobody can use the table, and there is no other way",
    "apply it while the table is small or not in use",
)
SET_NOT_NULL = warning(
    "set-not-null-scans-table",
    "all rows are read while nobody can use the table, unless a CHECK constraint has it already",
    "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in the next file, "
    "then SET NOT NULL",
)
ATTACH = warning(
    "attach-scans-table",
    "all rows of the new partition are read, unless a CHECK constraint says the same as its bounds",
    "add that constraint as NOT VALID and validate it, before",
)
DETACH = warning(
    "detach-blocks",
    "nobody can use the partitioned table meanwhile",
    "DETACH PARTITION … CONCURRENTLY, in a file of its own",
)
REFRESH = warning(
    "refresh-blocks-reads",
    "nobody can read the materialized view until it is refreshed",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index",
)
LOCK_TABLE = warning(
    "lock-table",
    "holds the lock until the file is through",
    "leave it out: each statement takes the lock that it needs",
)
REWRITE = warning(
    "rewrites-table",
    "the whole table is written again while nobody can use it",
    "apply it while the table is small or not in use",
)
COLUMN_TYPE = warning(
    "column-type",
    "in most cases the whole table is written again while nobody can use it (not from varchar to "
    "text or to a longer varchar), and clients see another type",
    "add a column of the new type, fill it in small steps, then let clients use it",
)
VOLATILE_DEFAULT = warning(
    "volatile-default",
    "a default that may differ for each row: the whole table is written again while nobody can use "
    "it",
    "add the column without it, SET DEFAULT, then fill the rows in small steps",
)
REQUIRED_COLUMN = warning(
    "required-column",
    "a column that must have a value and has no default fails unless the table is empty, and then "
    "every INSERT that does not know it",
    "give it a DEFAULT, or add it without NOT NULL",
)
RENAME = warning(
    "rename",
    "whatever still uses the old name fails from then on",
    "add the new one beside it, release what uses it, and drop the old one later",
)

MIXED = warning(
    "mixed-transactions",
    "cannot run in a transaction with others, so that this file is applied statement by statement: "
    "when one fails, those before it stay",
    "put it into a file of its own",
)
UNNAMED_INDEX = error(
    "unnamed-concurrent-index",
    "an index without a name cannot be found again, should its creation fail and leave it invalid",
    "name it: CREATE INDEX CONCURRENTLY name ON …",
)
NOT_THE_OWNERS = error(
    "owner-cannot",
    "the database's owner, who runs the files, may not do that",
    "ask the platform team, or leave it out",
)
EXTENSION = warning(
    "untrusted-extension",
    "only a superuser can create this extension, unless it is there already",
    "ask the platform team to create it, and keep IF NOT EXISTS",
)
LEDGER = error(
    "ledger",
    "schema daap_schema belongs to the runner, which records there what has been applied",
    "leave it alone",
)
ROLE = warning(
    "role-change",
    "what follows in the file runs as somebody else, and belongs to them",
    "leave it out: the runner says which role runs the files",
)
OWNER = warning(
    "owner-change",
    "fails unless the role that runs the files is a member of that role",
    "leave it out: what the files create belongs to the role that runs them",
)
DISCARD = error(
    "discard-all",
    "would give up the lock that keeps other runs out",
    "leave it out: each file begins with a session as after connecting",
)
TIMEOUTS = warning(
    "own-timeouts",
    "replaces the time that the runner lets a statement wait or run",
    "leave it out, or SET LOCAL it for a long statement in a file of its own",
)
NOT_REPEATABLE = warning(
    "not-repeatable",
    "fixtures run again when they change, and the second time this fails or adds the rows again",
    "INSERT … ON CONFLICT, CREATE … IF NOT EXISTS or OR REPLACE, DROP … IF EXISTS",
)
EMPTY = warning("empty-file", "has no statement", "leave it out, or write what was meant")
ORDER = warning(
    "file-order",
    "files are applied in the order of their characters, in which 10 comes before 9",
    "write all numbers with as many digits",
)
UNLINTED = warning(
    "linter-unavailable",
    "squawk's rules were not looked at",
    "install squawk-cli into the Python that runs daap-operator, or split the file",
)
MORE = warning("more-findings", "has more findings than are told", "correct these first")

OWN = (
    DROP_TABLE,
    DROP_COLUMN,
    DROP_SCHEMA,
    DROP_TYPE,
    DROP_SEQUENCE,
    DROP_EXTENSION,
    DROP_OWNED,
    DROP_CASCADE,
    TRUNCATE,
    DELETE_ALL,
    UPDATE_ALL,
    HIDDEN,
    INDEX,
    DROP_INDEX,
    REINDEX,
    CONSTRAINT,
    UNIQUE,
    EXCLUDE,
    SET_NOT_NULL,
    ATTACH,
    DETACH,
    REFRESH,
    LOCK_TABLE,
    REWRITE,
    COLUMN_TYPE,
    VOLATILE_DEFAULT,
    REQUIRED_COLUMN,
    RENAME,
    MIXED,
    UNNAMED_INDEX,
    NOT_THE_OWNERS,
    EXTENSION,
    LEDGER,
    ROLE,
    OWNER,
    DISCARD,
    TIMEOUTS,
    NOT_REPEATABLE,
    EMPTY,
    ORDER,
    UNLINTED,
    MORE,
)
