"""What happens in one run: a list of steps, drawn beforehand, so that a seed tells it all."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

SECRET_WORDS = ("binding", "access")
"""What connection Secrets may be called."""


class Slot(NamedTuple):
    """Where a database may be: one of the two namespaces, and a name."""

    side: int
    name: str


@dataclass(frozen=True)
class Step:
    """One thing that happens, and how long nothing else does afterwards."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    pause: float = 0.0

    def after(self, pause: float) -> "Step":
        """The same, with another pause behind it."""
        return replace(self, pause=pause)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.kind}({shown}), then {self.pause:g} s"


Plan = tuple[Step, ...]


def has_drills(plan: Plan) -> bool:
    """Whether somebody asks for a drill, or a schedule does."""
    return any(step.kind == "drill" or "'verify'" in str(step) for step in plan)


def has_schemas(plan: Plan) -> bool:
    """Whether somebody asks for a schema."""
    return any(step.kind == "order_schema" for step in plan)


FAULTS = frozenset(
    {
        *("kill", "kill_at", "stop", "cut_metadata", "cut_api", "restart_api_server"),
        *("phase", "stop_at", "sleep", "delete_namespace", "delete_store", "unplug"),
    }
)
"""The kinds of steps that are not what a team does, but what befalls a platform."""
