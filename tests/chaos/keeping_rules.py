"""The rules by which people who care for backups, and what befalls those, come into a plan."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.chaos.draws import NAMES, Drawing, known, pauses, slots, specs
from tests.chaos.plan import Slot

numbers = st.integers(0, 1)
"""Of a DaapBackup, a DaapRestore or a DaapDrill of one database: two at once, and again under the
same name."""

often = st.sampled_from([True, True, False])


class KeepingRules(Drawing):
    """Rules about backups. What is new here needs what carries it out in `keepers`."""

    def __init__(self) -> None:
        super().__init__()
        self._stores = [True, True]
        self._plugged = True

    def _quiet(self) -> None:
        super()._quiet()
        self._stores, self._plugged = [True, True], True

    @rule(slot=known, number=numbers, pause=pauses)
    def back_up(self, slot: Slot, number: int, pause: float) -> None:
        self._add("back_up", pause, slot=slot, number=number)

    @rule(slot=known, number=numbers, pause=pauses)
    def delete_backup(self, slot: Slot, number: int, pause: float) -> None:
        self._add("delete_backup", pause, slot=slot, number=number)

    @rule(
        slot=known, number=numbers, safety=st.booleans(), settled=often, twice=st.booleans(),
        cancelled=st.sampled_from([None, None, 0.0, 0.3]), pause=pauses,
    )  # fmt: skip
    def restore(
        self, slot: Slot, number: int, *, safety: bool, settled: bool, twice: bool,
        cancelled: float | None, pause: float,
    ) -> None:  # fmt: skip
        """Mostly of a database that was backed up before; two at once, or taken back, sometimes."""
        if settled:
            self._add("edit", 0.0, slot=slot, change={"backup": {"enabled": True}})
            self._quiet()
        self._add("restore", 0.0, slot=slot, number=number, safety=safety)
        if twice:
            self._add("restore", pause, slot=slot, number=1 - number, safety=safety)
        if cancelled is not None:
            self._steps[-1] = self._steps[-1].after(cancelled)
            self._add("cancel_restore", pause, slot=slot, number=number)

    @rule(
        slot=known, number=numbers, aimed=st.booleans(), settled=often, twice=st.booleans(),
        cancelled=st.sampled_from([None, None, 0.0, 0.3, 0.8]), pause=pauses,
    )  # fmt: skip
    def drill(
        self, slot: Slot, number: int, *, aimed: bool, settled: bool, twice: bool,
        cancelled: float | None, pause: float,
    ) -> None:  # fmt: skip
        """As a restore: mostly of one that was backed up before; two in turn, or taken back."""
        if settled:
            self._add("edit", 0.0, slot=slot, change={"backup": {"enabled": True}})
            self._quiet()
        self._add("drill", 0.0 if twice else pause, slot=slot, number=number, aimed=aimed)
        if twice:
            self._add("drill", pause, slot=slot, number=1 - number, aimed=aimed)
        if cancelled is not None:
            self._steps[-1] = self._steps[-1].after(cancelled)
            self._add("cancel_drill", pause, slot=slot, number=number)

    @rule(slot=slots, of=st.sampled_from(NAMES), spec=specs, settled=st.booleans(), pause=pauses)
    def copy(self, slot: Slot, of: str, spec: dict[str, Any], settled: bool, pause: float) -> None:
        """From the backups of one that is there, or that was."""
        if settled:
            self._quiet()
        if of == slot.name:
            self._add("delete", 1.0, slot=slot)
        self._add("copy", pause, slot=slot, of=of, spec=spec)

    @rule(slot=known, store=st.booleans(), pause=pauses)
    def lose(self, slot: Slot, store: bool, pause: float) -> None:
        """The Cluster of one that was backed up is deleted by hand, and perhaps its store."""
        self._add("edit", 0.0, slot=slot, change={"backup": {"enabled": True}})
        self._quiet()
        if store:
            self._stores[slot.side] = False
            self._add("delete_store", 0.0, side=slot.side)
        self._add("delete_child", pause, slot=slot, plural="clusters")

    @rule(slot=known, unplugged=st.booleans(), pause=pauses)
    def finish(self, slot: Slot, *, unplugged: bool, pause: float) -> None:
        """One that is served is deleted after a last backup, which perhaps cannot be made yet."""
        last = {"enabled": True, "onDelete": "FinalBackup"}
        change = {"backup": last, "deletionPolicy": "Delete", "deletionProtection": False}
        self._add("edit", 0.0, slot=slot, change=change)
        self._quiet()
        if unplugged and self._plugged:
            self._plugged = False
            self._add("unplug", 1.0)
        self._add("delete", pause, slot=slot)

    @rule(side=st.integers(0, 1), pause=pauses)
    def store(self, side: int, pause: float) -> None:
        self._add("delete_store" if self._stores[side] else "create_store", pause, side=side)
        self._stores[side] = not self._stores[side]

    @rule(pause=pauses)
    def plugin(self, pause: float) -> None:
        self._add("unplug" if self._plugged else "plug", pause)
        self._plugged = not self._plugged
