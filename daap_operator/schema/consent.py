"""Whether a plan may run: nothing is in its way, and who has to has approved it. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from daap_operator.schema.errors import RefusedError
from daap_operator.schema.model import Applied, Obstacle, Plan, Trouble

Planner = Callable[[Sequence[Applied]], Plan]
"""The plan by what the ledger holds, oldest first."""


class OnDestructive(StrEnum):
    """What becomes of a plan that deletes data."""

    REFUSE = "refuse"
    APPROVE = "approve"
    ALLOW = "allow"


class Reason(StrEnum):
    """Why a plan does not run that nothing is in the way of."""

    PLAN_CHANGED = "PlanChanged"
    APPROVAL_REQUIRED = "ApprovalRequired"
    DESTRUCTIVE = "DestructiveRefused"


def refuse(
    plan: Plan,
    applied: Sequence[Applied],
    hasher: Planner,
    approved: str,
    on_destructive: OnDestructive,
) -> None:
    """Raises RefusedError when the plan must not run; `approved` is a hash, or empty.

    `hasher` plans the same files, and may spare itself the findings.
    """
    if plan.obstacles:
        told = [f"{each.file}: {each.message}" for each in plan.obstacles]
        text = "\n".join(["refused, nothing was changed:", *told])
        raise RefusedError(text, plan.obstacles[0].trouble)
    if not plan.pending:
        return
    if found := nameless(plan):
        told = [f"{each.file}:{each.line}: {each.message}" for each in found]
        text = "\n".join(["refused, nothing was changed:", *told])
        raise RefusedError(text, Trouble.SYNTAX)
    if approved and not _covers(approved, plan, applied, hasher):
        raise RefusedError(
            f"refused, nothing was changed: the plan is {plan.hash}, and {approved} was approved; "
            "read the plan as it is now (daap-operator schema plan), and approve that one",
            Reason.PLAN_CHANGED,
        )
    deleting = destructive(plan)
    if deleting and on_destructive is OnDestructive.REFUSE:
        raise _deletes(deleting, "--on-destructive refuse forbids it", Reason.DESTRUCTIVE)
    if deleting and on_destructive is OnDestructive.APPROVE and not approved:
        raise _deletes(deleting, f"approve it with --plan {plan.hash}", Reason.APPROVAL_REQUIRED)


def _deletes(found: Sequence[str], remedy: str, reason: Reason) -> RefusedError:
    first = f"refused, nothing was changed: data would be deleted; {remedy}"
    return RefusedError("\n".join([first, *found]), reason)


def nameless(plan: Plan) -> list[Obstacle]:
    """Indexes that a run which was cut off could not find again: in the way at every level."""
    return [
        Obstacle(
            Trouble.SYNTAX,
            planned.file.name,
            "an index that is made CONCURRENTLY needs a name: without one a second try could not "
            "tell what the first has made of it",
            statement.line,
        )
        for planned in plan.pending
        for statement in planned.statements
        if statement.kind == "CREATE INDEX CONCURRENTLY" and not statement.index
    ]


def destructive(plan: Plan) -> list[str]:
    """Where data would be deleted, a line for each finding."""
    return [
        f"{planned.file.name}:{finding.line}: {finding.message}"
        for planned in plan.pending
        for finding in planned.findings
        if finding.destructive
    ]


def _covers(approved: str, plan: Plan, applied: Sequence[Applied], hasher: Planner) -> bool:
    """Whether the plan is what was approved, or the rest of it after a run that was cut off.

    It is the rest when the approved plan is what there was before the last few files were applied.
    """
    if plan.hash == approved:
        return True
    return any(
        hasher(applied[:length]).hash == approved for length in range(len(applied) - 1, -1, -1)
    )
