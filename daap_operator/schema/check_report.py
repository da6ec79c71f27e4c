"""What a check has found, as JSON: the last words of a Job, and a line in its log. Pure."""

from collections.abc import Sequence
from typing import Any

from daap_operator.schema import outcome, report
from daap_operator.schema.drift import Drift
from daap_operator.schema.errors import SchemaError
from daap_operator.schema.model import Applied, Finding, Plan
from daap_operator.schema.outcome import FORMAT, Result


def document(
    ledger: str,
    files_checksum: str,
    error: SchemaError | None,
    found: tuple[Plan, Sequence[Applied], Sequence[Drift]] = (Plan(), (), ()),
) -> dict[str, Any]:
    """All of it; lists in the order of applying, and the counts of all that they have."""
    plan, applied, drift = found
    result, reason = outcome.ended(error, Result.CHECKED)
    findings = _findings(plan)
    return {
        "format": FORMAT,
        "result": result,
        "reason": reason,
        "message": str(error or ""),
        "filesChecksum": files_checksum,
        "ledger": ledger,
        **outcome.ledgers(applied),
        "plan": plan.hash,
        "stopped": bool(plan.obstacles),
        **report.lists(plan),
        "drift": outcome.drifted(drift),
        "pendingCount": len(plan.pending),
        "findingsCount": len(findings),
        "destructiveCount": sum(each.destructive for each in findings),
        "obstaclesCount": len(plan.obstacles),
        "driftCount": len(drift),
    }


def told(plan: Plan, drift: Sequence[Drift]) -> str:
    """The same for people."""
    differs = [each.told() for each in drift] or ["nothing differs from what the files have made"]
    return report.planned(plan) + "\n" + "".join(f"{line}\n" for line in differs)


def _findings(plan: Plan) -> list[Finding]:
    return [each for planned in plan.pending for each in planned.findings]
