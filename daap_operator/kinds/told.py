"""What an object's conditions say, as every kind that looks at an object of another reads it. Pure.

Leniently: the object may be of another version, or written by anybody.
"""

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.lines import quoted


def condition(obj: raw.Object | None, kind: ConditionType) -> raw.Object:
    """The condition of that type; empty where there is none."""
    for each in raw.items(obj, "status", "conditions"):
        if raw.text(each, "type") == kind:
            return raw.mapping(each)
    return {}


def message(obj: raw.Object | None, kind: ConditionType) -> str:
    """Its message, to be passed on; empty where there is none."""
    return quoted(raw.text(condition(obj, kind), "message"))
