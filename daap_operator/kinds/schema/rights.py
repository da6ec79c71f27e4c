"""What serving DaapSchemas takes, verb by verb, and why. Pure."""

from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.schema.watched import WATCHES

RIGHTS = (
    *serving(known.DAAP_SCHEMA),
    *watching(WATCHES),
    Right(known.DAAP_SCHEMA, "get", "the text of inline files, which is not kept, for a Job"),
    Right(known.CONFIG_MAP, "get", "the files of a schema, when their ConfigMap has changed"),
    Right(known.JOB, "get", "whether one that is in the way of another is gone"),
    Right(known.JOB, "create", "plans, applies or verifies a schema"),
    Right(known.JOB, "patch", "the same: it is created by server-side apply"),
    Right(known.JOB, "delete", "one whose files, database or options have changed, by uid"),
    Right(known.DAAP_BACKUP, "create", "the one before a plan is applied, where that is asked for"),
    Right(known.DAAP_BACKUP, "patch", "the same: it is created by server-side apply"),
    Right(known.DAAP_BACKUP, "get", "whether that backup is there, when the answer was lost"),
    Right(known.DAAP_DRILL, "create", "restores the copy that a plan is rehearsed on"),
    Right(known.DAAP_DRILL, "patch", "the same: it is created by server-side apply"),
    Right(known.DAAP_DRILL, "get", "whether that drill is there, when the answer was lost"),
    Right(known.DAAP_DRILL, "delete", "one whose copy is not needed any more, by uid"),
    Right(known.POD, "list", "what a schema's Job has said, or why it does not start, by label"),
    Right(
        known.POD,
        "get",
        "the report of a schema's Job, or which run it waits for: the last line of its log",
        "log",
    ),
)
