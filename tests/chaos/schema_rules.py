"""The rules by which people who write schemas come into a plan."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.chaos.authors import REQUIRED
from tests.chaos.draws import known, pauses
from tests.chaos.keeping_rules import KeepingRules, often
from tests.chaos.plan import Slot

numbers = st.sampled_from([0, 0, REQUIRED])
"""Of the two schemas that a database may have."""


class SchemaRules(KeepingRules):
    """Rules about schemas. What is new here needs what carries it out in `authors`."""

    @rule(slot=known, number=numbers, settled=often, files_first=often, twice=often, pause=pauses)
    def order_schema(
        self, slot: Slot, number: int, *, settled: bool, files_first: bool, twice: bool,
        pause: float,
    ) -> None:  # fmt: skip
        """Mostly of a database that is served; with another file under way, sometimes."""
        if settled:
            self._quiet()
        self._add("order_schema", pause, slot=slot, number=number, files_first=files_first)
        if twice:
            self._add("write_file", pause, slot=slot, number=number)

    @rule(slot=known, number=numbers, pause=pauses)
    def write_file(self, slot: Slot, number: int, pause: float) -> None:
        self._add("write_file", pause, slot=slot, number=number)

    @rule(slot=known, settled=often, pause=pauses)
    def approve(self, slot: Slot, settled: bool, pause: float) -> None:
        """Mostly of a plan that waits for it, and of which the files change meanwhile."""
        self._add("order_schema", 0.0, slot=slot, number=REQUIRED, files_first=True)
        if settled:
            self._quiet()
        self._add("approve", pause, slot=slot, number=REQUIRED)
        self._add("write_file", pause, slot=slot, number=REQUIRED)

    @rule(slot=known, number=numbers, pause=pauses)
    def delete_files(self, slot: Slot, number: int, pause: float) -> None:
        self._add("delete_files", pause, slot=slot, number=number)

    @rule(slot=known, number=numbers, again=st.booleans(), pause=pauses)
    def delete_schema(self, slot: Slot, number: int, *, again: bool, pause: float) -> None:
        self._add("delete_schema", pause, slot=slot, number=number)
        if again:
            self._add("order_schema", pause, slot=slot, number=number, files_first=True)
