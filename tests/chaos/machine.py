"""The stateful machine that draws the plans: what may happen next, given what happened so far.

It knows what was asked for, never what became of it: nothing is done while a plan is drawn. So
many runs can go on at the same time (`drawing` sees to it that a seed gives the same plans).
"""

from itertools import count as count_from
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from daap_operator.kinds.database.phases import PHASES
from tests.chaos.draws import edits, known, pauses, slots, specs
from tests.chaos.plan import Plan, Slot, Step
from tests.chaos.schema_rules import SchemaRules
from tests.standin.script import HEALTHY

STEPS = 11
"""Rules of a run; some add more than one step."""

KINDS = 6
"""A run with fewer kinds of steps is left out: hypothesis tries small sets of rules, too."""

CHUNK = 25
"""Plans are drawn by so many: what the first ones are does not depend on how many are wanted."""

TOMORROW = "A phase of tomorrow"
CHILDREN = ("clusters", "poolers", "secrets")

handiwork = st.sampled_from(
    [
        "cluster-spec",
        "cluster-labels",
        "pooler-spec",
        "pooler-labels",
        "secret-data",
        "secret-labels",
    ]
)
"""What somebody changes in a child by hand."""

outages = st.sampled_from([0.0, 0.5, 2.0])
phases = st.sampled_from([*(phase for phase in PHASES if phase != HEALTHY), TOMORROW])

rare_steps = st.integers(0, 7).flatmap(
    lambda number: (
        st.builds(lambda side: Step("delete_namespace", {"side": side}), st.integers(0, 1))
        if number == 7
        else st.builds(lambda down: Step("restart_api_server", {"down": down}), outages)
        if number == 6
        else st.none()
    )
)


class Machine(SchemaRules):
    """One run being drawn."""

    drawn: dict[Plan, None]

    def __init__(self) -> None:
        super().__init__()
        self._up = True
        self._metadata = True
        self._api = True
        self._awake = True
        self._rare: tuple[int, Step] | None = None

    def teardown(self) -> None:
        """The run is drawn."""
        if self._rare:
            self._steps.insert(*self._rare)
        if len({step.kind for step in self._steps}) >= KINDS:
            self.drawn[tuple(self._steps)] = None

    def _quiet(self) -> None:
        super()._quiet()
        self._up = self._metadata = self._api = self._awake = True

    @initialize(
        slot=slots, spec=specs, rare=rare_steps, at=st.integers(2, STEPS), quiet=st.booleans()
    )
    def begin(
        self, slot: Slot, spec: dict[str, Any], rare: Step | None, at: int, quiet: bool
    ) -> None:
        """At least one database; what takes many seconds happens in some runs only, and once."""
        self._rare = (at, rare) if rare else None
        self._add("start", 0.0)
        self._add("create", 0.0, slot=slot, spec=spec)
        if quiet:
            self._quiet()

    # what teams do --------------------------------------------------------------------------------

    @rule(slot=slots, spec=specs, pause=pauses)
    def create(self, slot: Slot, spec: dict[str, Any], pause: float) -> None:
        self._add("create", pause, slot=slot, spec=spec)

    @rule(slot=known, change=edits, pause=pauses)
    def edit(self, slot: Slot, change: dict[str, Any], pause: float) -> None:
        self._add("edit", pause, slot=slot, change=change)

    @rule(slot=known, one=edits, other=edits, pause=pauses)
    def edit_twice(self, slot: Slot, one: Any, other: Any, pause: float) -> None:
        self._add("edit", 0.0, slot=slot, change=one)
        self._add("edit", pause, slot=slot, change=other)

    @rule(slot=known, pause=pauses)
    def delete(self, slot: Slot, pause: float) -> None:
        self._add("delete", pause, slot=slot)

    @rule(slot=known, spec=specs, pause=pauses)
    def replace(self, slot: Slot, spec: dict[str, Any], pause: float) -> None:
        self._add("delete", pause, slot=slot)
        self._add("create", pause, slot=slot, spec=spec)

    @rule(slot=known, plural=st.sampled_from(CHILDREN), pause=pauses)
    def delete_child(self, slot: Slot, plural: str, pause: float) -> None:
        self._add("delete_child", pause, slot=slot, plural=plural)

    @rule(slot=known, what=handiwork, pause=pauses)
    def edit_child(self, slot: Slot, what: str, pause: float) -> None:
        self._add("edit_child", pause, slot=slot, what=what)

    @rule(side=st.integers(0, 1), pause=pauses)
    def remove_retained(self, side: int, pause: float) -> None:
        self._add("remove_retained", pause, side=side)

    # what befalls the operator --------------------------------------------------------------------

    @precondition(lambda self: not self._up)
    @rule(pause=pauses)
    def start(self, pause: float) -> None:
        self._up = True
        self._add("start", pause)

    @precondition(lambda self: self._up)
    @rule(again=st.booleans(), pause=pauses)
    def kill(self, again: bool, pause: float) -> None:
        self._up = again
        self._add("kill", pause)
        if again:
            self._add("start", pause)

    @precondition(lambda self: self._up)
    @rule(write=st.integers(1, 9), answered=st.booleans(), pause=pauses)
    def kill_at(self, write: int, answered: bool, pause: float) -> None:
        """Dies at one of its next writes; whether it still runs is not known from then on."""
        self._up = False
        self._add("kill_at", pause, write=write, answered=answered)

    @precondition(lambda self: self._up)
    @rule(pause=pauses)
    def stop(self, pause: float) -> None:
        self._up = False
        self._add("stop", pause)

    # what befalls what it depends on --------------------------------------------------------------

    @rule(pause=pauses)
    def metadata(self, pause: float) -> None:
        self._add("cut_metadata" if self._metadata else "mend_metadata", pause)
        self._metadata = not self._metadata

    @rule(pause=pauses)
    def api(self, pause: float) -> None:
        self._add("cut_api" if self._api else "mend_api", pause)
        self._api = not self._api

    @rule(pause=pauses)
    def cloudnativepg(self, pause: float) -> None:
        self._add("sleep" if self._awake else "wake", pause)
        self._awake = not self._awake

    @rule(slot=known, phase=phases, pause=pauses)
    def phase(self, slot: Slot, phase: str, pause: float) -> None:
        self._add("phase", pause, slot=slot, phase=phase)

    @rule(slot=known, step=st.integers(0, 7), pause=pauses)
    def stop_at(self, slot: Slot, step: int, pause: float) -> None:
        self._add("stop_at", pause, slot=slot, step=step)

    @rule(slot=known, pause=pauses)
    def go_on(self, slot: Slot, pause: float) -> None:
        self._add("go_on", pause, slot=slot)

    @precondition(lambda self: self._steps[-1].kind != "quiet")
    @rule()
    def quiet(self) -> None:
        """All is healed, and everything must come right before the next step."""
        self._quiet()


def plans(count: int, number: int) -> list[Plan]:
    """So many plans, always the same ones for a seed."""
    made: list[Plan] = []
    for chunk in count_from(0):
        if len(made) >= count:
            break
        kept: list[Plan] = []
        for plan in _draw(f"{number}/{chunk}"):
            if not any(are_alike(plan, other) for other in kept):
                kept.append(plan)
        made += kept
    return made[:count]


def are_alike(one: Plan, other: Plan) -> bool:
    """Whether most of the shorter one is in the other: hypothesis also varies what it has drawn."""
    steps, others = set(map(str, one)), set(map(str, other))
    return 2 * len(steps & others) > min(len(steps), len(others))


def _draw(key: str) -> dict[Plan, None]:
    made: dict[Plan, None] = {}

    class Drawing(Machine):
        drawn = made

    run_state_machine_as_test(
        seed(key)(Drawing),
        settings=settings(
            max_examples=CHUNK,
            stateful_step_count=STEPS,
            # Nothing fails here: there is nothing to shrink, to store or to try again
            phases=[Phase.generate],
            database=None,
            derandomize=False,
            deadline=None,
            verbosity=Verbosity.quiet,
            # Drawing is all that happens: how long it takes or how much it draws says nothing
            suppress_health_check=list(HealthCheck),
        ),
    )
    return made
