"""What plans are drawn from: where, what for, how long nothing else happens afterwards."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.chaos.plan import SECRET_WORDS, Slot, Step

NAMES = ("orders", "ledger")
SLOTS = [Slot(side, name) for name in NAMES for side in (0, 1)]

slots = st.sampled_from(SLOTS)
known = st.runner().flatmap(lambda machine: st.sampled_from(machine.known))
"""Where a database has been asked for."""

pauses = st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.05, 0.1, 0.3, 0.8])
"""Often nothing lies between two steps: that is where they meet."""

secret_names = st.sampled_from([None, *SECRET_WORDS])
policies = st.sampled_from(["Delete", "Delete", "Retain"])
on, off = {"enabled": True}, {"enabled": False}
proved = on | {"verify": {"schedule": "0 4 * * sun"}}
backups = st.sampled_from([on, on, on | {"onDelete": "FinalBackup"}, proved, off])
specs = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.integers(1, 3),
        "deletionPolicy": policies,
        "deletionProtection": st.booleans(),
        "connectionSecretName": st.sampled_from(SECRET_WORDS),
        "backup": backups,
    },
)
edits = st.one_of(
    st.builds(lambda team: {"ownerTeam": team}, st.sampled_from(["payments", "search", "core"])),
    st.builds(lambda count: {"instances": count}, st.integers(1, 3)),
    st.builds(lambda count: {"pooler": {"instances": count}}, st.integers(1, 3)),
    st.builds(lambda name: {"connectionSecretName": name}, secret_names),
    st.builds(lambda policy: {"deletionPolicy": policy}, policies),
    st.builds(lambda held: {"deletionProtection": held}, st.booleans()),
    st.builds(lambda wanted: {"backup": wanted}, backups),
    st.just({"storage": "more"}),
)


class Drawing(RuleBasedStateMachine):
    """A plan that is being drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[Step] = []
        self.known: list[Slot] = []
        """Where a database has been asked for."""

    def _add(self, kind: str, pause: float, **arguments: Any) -> None:
        self._steps.append(Step(kind, arguments, pause))
        if kind in ("create", "copy") and arguments["slot"] not in self.known:
            self.known.append(arguments["slot"])

    def _quiet(self) -> None:
        """All is healed, and everything must come right before the next step."""
        if self._steps[-1].kind != "quiet":
            self._add("quiet", 0.0)
