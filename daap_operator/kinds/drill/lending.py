"""A restored copy that a DaapSchema rehearses its plan on, in place of the checks of a drill. Pure.

Whoever it is lent to deletes the DaapDrill, which removes the copy. Where nobody does, it ends with
its database, or with the time that any drill has.
"""

from daap_operator import raw
from daap_operator.api.v1alpha1 import DaapDrillStatus, DrillPhase
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.kinds import Reader, Ref
from daap_operator.kinds import known
from daap_operator.kinds.drill import status
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kinds.recovery import Impossible


def lent(store: Reader, key: Ref, its: DaapDrillStatus, borrower: str) -> Verdict:
    """What is reported while it is lent. Raises Impossible once its database is gone."""
    of = its.database
    database = store.get(Ref(known.DATABASE, key.namespace, of.name)) if of else None
    uid, going = (raw.text(database, "metadata", each) for each in ("uid", "deletionTimestamp"))
    if of and (uid != of.uid or going):
        why = f"DaapDatabase {of.name} was deleted while a plan was rehearsed on a copy of it"
        raise Impossible(DrillReason.DATABASE_MISSING, why)
    return status.lent(its, borrower, DrillPhase.CHECKING)
