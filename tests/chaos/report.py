"""The figures of many runs, for people."""

from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

from tests.chaos.plan import FAULTS
from tests.chaos.run import Outcome


def figures(outcomes: Sequence[Outcome], seconds: float, seed: int) -> str:
    """Runs, operations, faults, violations, how long it took, and how to see it again."""
    steps: Counter[str] = sum((outcome.steps for outcome in outcomes), Counter())
    refused = sum(outcome.refused for outcome in outcomes)
    wrong = [outcome for outcome in outcomes if outcome.violations]
    faults = {kind: steps[kind] for kind in sorted(FAULTS) if steps[kind]}
    people = {kind: count for kind, count in sorted(steps.items()) if kind not in FAULTS}
    return "\n".join(
        [
            f"{len(outcomes)} runs in {seconds:.0f} s, {_each(seconds, outcomes)}, seed {seed}",
            f"operations: {sum(people.values())}, {refused} of them refused: {_listed(people)}",
            f"faults: {sum(faults.values())}: {_listed(faults)}",
            f"healed until right: {_times(outcomes)}",
            f"violations: in {len(wrong)} runs",
        ]
    )


def _each(seconds: float, outcomes: Sequence[Outcome]) -> str:
    return f"{seconds / max(len(outcomes), 1):.1f} s a run"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.items())


def _times(outcomes: Sequence[Outcome]) -> str:
    took = sorted(seconds for outcome in outcomes for seconds in outcome.quiets)
    if len(took) < 2:
        return f"{took}"
    cuts = quantiles(took, n=100)
    return (
        f"median {cuts[49]:.1f} s, 99 of 100 within {cuts[98]:.1f} s, the longest {took[-1]:.1f} s"
        f" ({len(took)} times)"
    )


def failure(outcome: Outcome, seed: int) -> str:
    """One run with violations: what, how it came to that, how to see it again."""
    wrong = "\n".join(f"  - {violation}" for violation in outcome.violations)
    story = "\n".join(f"  {line}" for line in outcome.story)
    return (
        f"run {outcome.number} of seed {seed} violates:\n{wrong}\n{story}\n"
        f"Again, ten times: make chaos SEED={seed} RUN={outcome.number} RUNS=10"
    )
