"""The rules' texts and patterns, each stated once for both judges; and helpers to state them."""

import re

from pydantic import AfterValidator

from daap_operator import names
from daap_operator.api.rules import Rule, rule

MAJORS = range(14, 19)
"""PostgreSQL's major versions that CloudNativePG 1.30 runs."""

NAME_PATTERN = r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$"
NAME_TEXT = (
    "metadata.name '{}' must be 3 to 63 characters of a-z, 0-9 and '-', "
    "begin with a letter and end with a letter or digit"
)
NAME_RESERVED_TEXT = (
    "metadata.name '{}' names a database that PostgreSQL, PgBouncer or CloudNativePG reserves for "
    "itself: set spec.databaseName or choose another name"
)
LINE_TEXT = (
    "must be one line of text: remove line breaks (in YAML, write '>-' instead of '|'), control "
    "characters, and characters that are invisible or change the direction of text"
)
VISIBLE_TEXT = (
    "'{}' must be one line of text that begins and ends with a visible character and contains no "
    "control characters, and none that are invisible or change the direction of text"
)
SIZE_RANGE_TEXT = "'{}' must be from 1Gi to 64Ti; write the unit, as in 20Gi"
SHRINK_TEXT = (
    "'{}' is less than the '{}' that the volumes have: storage grows and never shrinks; "
    "keep '{}' or more"
)
STORAGE_CLASS_TEXT = (
    "'{}' cannot replace '{}' (empty: the default class): a volume keeps its class; "
    "keep it, or create a new DaapDatabase and copy the data"
)
MEMORY_TEXT = "'{}' is less than 64Mi, too little for PostgreSQL; write the unit, as in 512Mi"
LEAST_MI = 256
LEAST_TEXT = (
    "resources.{}.memory '{}' is less than "
    f"{LEAST_MI}Mi, the minimum that PostgreSQL needs for its work: "
    f"set it to {LEAST_MI}Mi or more"
)
LIMIT_TEXT = "requests.{} '{}' must not be more than limits.{} '{}'"
DATABASE_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
DATABASE_NAME_TEXT = "'{}' must be 1 to 63 characters of a-z, 0-9 and '_' and begin with a letter"
DATABASE_RESERVED_TEXT = (
    "'{}' is reserved by PostgreSQL, PgBouncer or CloudNativePG; choose another name"
)
DATABASE_IMMUTABLE_TEXT = (
    "'{}' cannot replace '{}': a database keeps its name; "
    "keep '{}', or create a new DaapDatabase and copy the data"
)
VERSION_TEXT = (
    "{} is less than the version {} of the data: PostgreSQL cannot go back; keep {} or more"
)
UNREACHED_TEXT = (
    "{} cannot be reached from data of version {}: PostgreSQL can only be upgraded to 16 or later; "
    "set one of those, or keep {}"
)
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
CONNECTION_NAME_PATTERN = rf"^{_LABEL}(\.{_LABEL})*$"
_CHARACTERS = (
    "at most 253 characters of a-z, 0-9, '-' and '.', "
    "each part between dots beginning and ending with a letter or digit"
)
CONNECTION_NAME_TEXT = f"'{{}}' must be a Secret's name: {_CHARACTERS}"
STORAGE_CLASS_PATTERN = CONNECTION_NAME_PATTERN
STORAGE_CLASS_NAME_TEXT = (
    f"'{{}}' must be a StorageClass's name: {_CHARACTERS}; leave it out for the cluster's default"
)
CONNECTION_PREFIX_TEXT = (
    "spec.connectionSecretName '{}' must not begin with 'daap-', which is reserved for the "
    "platform; choose another name or leave it out for '{}'"
)

STORE_NAME_TEXT = (
    f"'{{}}' must be an ObjectStore's name: {_CHARACTERS}; leave it out for the platform's default"
)


def _cron_field(value: str) -> str:
    """The pattern of a field of cron: `*`, values and ranges, with steps, separated by commas."""
    item = rf"(\*|({value})(-({value}))?)(/[1-9][0-9]?)?"
    return rf"{item}(,{item})*"


_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_CRON = " ".join(
    _cron_field(value)
    for value in (
        "[0-5]?[0-9]",
        "[01]?[0-9]|2[0-3]",
        "0?[1-9]|[12][0-9]|3[01]",
        f"0?[1-9]|1[0-2]|{_MONTHS}",
        "[0-7]|sun|mon|tue|wed|thu|fri|sat",
    )
)
SCHEDULE_PATTERN = rf"^(?i:@hourly|@daily|@weekly|@monthly|{_CRON})$"
SCHEDULE_TEXT = (
    "'{}' must be five fields of cron, separated by single spaces (minute, hour, day of the month, "
    "month, day of the week), as in '30 2 * * *' for 02:30 UTC every day, or one of @hourly, "
    "@daily, @weekly and @monthly"
)
RETENTION_PATTERN = r"^[1-9][0-9]{0,3}[dwm]$"
RETENTION_TEXT = "'{}' must be a number of days, weeks or months, as in 30d, 4w or 6m"

METADATA_KEYS = 32
METADATA_KEY_PATTERN = (
    r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
)
METADATA_KEY_TEXT = (
    "'{}' must be a name of 1 to 63 characters of A-Z, a-z, 0-9, '-', '_' and '.', beginning and "
    "ending with a letter or digit, optionally after a DNS name and '/'"
)
METADATA_RESERVED_PATTERN = r"^([^/]*\.)?(daap\.io|kubernetes\.io|k8s\.io|cnpg\.io)/"
METADATA_RESERVED_TEXT = (
    "'{}' is reserved for Kubernetes, CloudNativePG and the platform; choose a key with a prefix "
    "of your own"
)
LABEL_VALUE_PATTERN = r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$"
LABEL_VALUE_TEXT = (
    "'{}' must be at most 63 characters of A-Z, a-z, 0-9, '-', '_' and '.', beginning and ending "
    "with a letter or digit"
)

_RESERVED = ", ".join(f"'{name}'" for name in sorted(names.RESERVED_DATABASE_NAMES))
_RESERVED_STARTS = " || ".join(
    f"{{0}}.startsWith('{prefix}')" for prefix in names.RESERVED_DATABASE_PREFIXES
)


def reserved_in(expression: str) -> str:
    """CEL: whether the database name that `expression` gives is reserved."""
    return f"({expression} in [{_RESERVED}] || {_RESERVED_STARTS.format(expression)})"


def version_in(expression: str) -> str:
    """CEL: the major version as text. `string()` of a number has no bound on its length, which the
    API server's cost limit needs."""
    known = "".join(f"{expression} == {major} ? '{major}' : " for major in MAJORS)
    return f"({known}'?')"


def matched(pattern: str, text: str) -> AfterValidator:
    """The models' side of a pattern: raises ValueError with the text, `{}` being the value."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(text.format(value))
        return value

    return AfterValidator(check)


def pattern_rule(pattern: str, text: str) -> Rule:
    """The API server's side of a pattern, in CEL."""
    return rule(f"self.matches(r'{pattern}')", text, "self")


_HIDING = r"\p{Cc}\p{Cf}\p{Zl}\p{Zp}"
LINE = rf"^[^{_HIDING}]*$"
"""What `lines.line` leaves as it is, but for the order of combining characters (NFC)."""
VISIBLE = rf"^[^\p{{Z}}{_HIDING}]([^{_HIDING}]*[^\p{{Z}}{_HIDING}])?$"
"""The same, beginning and ending with something to be seen."""
VISIBLE_PYTHON = r"\A\S(.*\S)?\Z"
"""For text that is one line already."""
