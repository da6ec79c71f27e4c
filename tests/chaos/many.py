"""Many runs, some of them at the same time, within a time."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.chaos.drawing import drawn
from tests.chaos.plan import Plan
from tests.chaos.run import Outcome, Run
from tests.chaos.stage import Stage

AT_ONCE = 8
"""Runs at the same time: most of each is waiting, and all wait while the API server is away."""

ENOUGH_VIOLATIONS = 3
"""After so many runs with violations no new ones begin: each waits long for what never comes."""


@dataclass(frozen=True)
class Task:
    """What is to be tried."""

    runs: int
    seconds: float
    """After so long no new run begins."""
    seed: int
    only: int | None = None
    """The number of the one run to repeat."""

    without: frozenset[str] = frozenset()
    """Kinds of steps that are left out."""

    def plans(self) -> Iterator[tuple[int, Plan]]:
        """The plans with their numbers."""
        made = drawn(self.runs if self.only is None else self.only + 1, self.seed)
        numbered = [(number, self._allowed(plan)) for number, plan in enumerate(made)]
        return iter(numbered if self.only is None else [numbered[self.only]] * self.runs)

    def _allowed(self, plan: Plan) -> Plan:
        return tuple(step for step in plan if step.kind not in self.without)


async def carry_out(
    stage: Stage, task: Task, done: Callable[[list[Outcome]], None]
) -> list[Outcome]:
    """Carry out all runs; `done` is called with the outcomes so far after each."""
    outcomes: list[Outcome] = []
    left = task.plans()
    deadline = time.monotonic() + task.seconds

    async def one_after_the_other() -> None:
        for number, plan in left:
            outcomes.append(await asyncio.create_task(Run(stage, number, plan).carry_out()))
            done(outcomes)
            wrong = sum(bool(outcome.violations) for outcome in outcomes)
            if time.monotonic() > deadline or wrong >= ENOUGH_VIOLATIONS:
                return

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(one_after_the_other())
    return outcomes
