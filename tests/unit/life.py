"""Hours of an operator's passes in no time: whom an event wakes, and who has an appointment."""

from collections import Counter

from daap_operator.engine.kinds import Ref
from tests.unit.stage import Stage

MOST_PASSES = 20_000
"""More than anything here may take: a loop without an end fails."""


class Life:
    """The passes over all objects of a stage, by its clock, as the workqueue would have them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.passes: Counter[Ref] = Counter()
        self._due: dict[Ref, float] = {}

    async def live(self, seconds: float) -> None:
        """Go on for so long."""
        clock = self.stage.clock
        end = clock.seconds + seconds
        for _ in range(MOST_PASSES):
            for key in self.stage.watch():
                self._due[key] = clock.seconds
            if not self._due or min(self._due.values()) > end:
                clock.seconds = end
                return
            key = min(self._due, key=lambda each: (self._due[each], each))
            clock.seconds = max(clock.seconds, self._due.pop(key))
            await self._pass(key)
        raise AssertionError(f"no end: {self.passes}")

    async def _pass(self, key: Ref) -> None:
        self.passes[key] += 1
        again = await self.stage.loop.reconcile(key, 0)
        if again is not None:
            due = self.stage.clock.seconds + again
            self._due[key] = min(due, self._due.get(key, due))
