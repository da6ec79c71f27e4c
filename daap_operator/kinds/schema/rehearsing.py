"""The DaapDrill that restores the copy which a plan is rehearsed on: made, waited for, deleted."""

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import DaapSchemaSpec, DrillPhase
from daap_operator.engine.child import Child, Owner, Reasons
from daap_operator.engine.children import delete
from daap_operator.engine.kinds import Object, Ref
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.companions import drill_for
from daap_operator.kinds.drills import is_over
from daap_operator.kinds.ordered import ordered
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.schema import rehearsal
from daap_operator.kinds.schema.memory import SchemaTurn
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.running import make_way
from daap_operator.kinds.told import message

_REASONS = Reasons(
    pending=SchemaReason.REHEARSING,
    deleted=SchemaReason.REHEARSING,
    leftover=SchemaReason.REHEARSING,
    conflict=SchemaReason.OBJECT_CONFLICT,
    rejected=SchemaReason.REJECTED,
)


async def drill(turn: SchemaTurn, name: str, database: str) -> Object:
    """The DaapDrill, created where it is not there.

    Raises Stalled when somebody has to act for it, and Impossible when it has failed.
    """
    world, owner = turn.world, turn.owner
    its = world.store.get(Ref(known.DATABASE, owner.namespace, database))
    if not raw.text(its, "status", "backup", "store"):
        raise Stalled(
            SchemaReason.REHEARSAL_BLOCKED,
            f"spec.rehearsal is {raw.text(turn.subject.spec, 'rehearsal')}, and the backups of "
            f"DaapDatabase {database} are off, so that no copy of it can be restored: set its "
            "spec.backup.enabled to true, or spec.rehearsal to Never",
        )
    found = await ordered(world, owner, child(owner, name, database), database)
    if found is None:
        told = f"DaapDrill {name} does not restore DaapDatabase {database}: delete it"
        raise Stalled(SchemaReason.OBJECT_CONFLICT, told)
    _refuse_failed(found, name)
    if why := message(found, ConditionType.STALLED):
        raise Stalled(SchemaReason.REHEARSAL_BLOCKED, blocked(name, why.rstrip(".")))
    return found


def lent(turn: SchemaTurn, name: str) -> Object:
    """The DaapDrill whose copy the plan is being applied to.

    Raises Impossible when it has failed, or the copy is being removed.
    """
    found = turn.world.store.get(Ref(known.DAAP_DRILL, turn.subject.key.namespace, name))
    _refuse_failed(found or {}, name)
    if found is None or not copy(found):
        told = f"DaapDrill {name} was deleted while the plan was rehearsed on its copy"
        raise Impossible(SchemaReason.RUN_LOST, told)
    return found


def _refuse_failed(drill: Object, name: str) -> None:
    if is_over(drill) or raw.text(drill, "status", "result"):
        why = message(drill, ConditionType.READY).rstrip(".")
        raise Impossible(SchemaReason.REHEARSAL_BLOCKED, blocked(name, why))


def blocked(name: str, why: str) -> str:
    """What is told of a copy that is not restored."""
    return (
        f"The plan is to be rehearsed before it is applied, and DaapDrill {name} restores no copy "
        f"of the database: {why}. Remove the cause, or set spec.rehearsal to Never"
    )


def copy(drill: Object) -> str:
    """The name of the scratch Cluster with the copy; empty while it does not serve."""
    going = raw.value(drill, "metadata", "deletionTimestamp")
    serves = raw.text(drill, "status", "phase") == DrillPhase.CHECKING and not going
    return raw.text(drill, "status", "clusterName") if serves else ""


async def put_away(turn: SchemaTurn, spec: DaapSchemaSpec, wanted: str, attempt: str) -> None:
    """Delete the DaapDrill whose copy is of no use any more, which removes it.

    That is waited for by nobody. Arguments as of `rehearsal.leftover`.
    """
    world, owner, its = turn.world, turn.owner, turn.subject.status.rehearsal
    name = rehearsal.leftover(spec, turn.subject.status, wanted, attempt)
    if its is None or not name:
        return
    if rehearsal.under_way(its):
        await make_way(turn)
    drill = Child(known.DAAP_DRILL, owner.namespace, name, _REASONS)
    await delete(world.kube, world.store, owner, drill)
    world.wake(drill.ref)  # its own controller is told by no event of this either
    await turn.note(**rehearsal.put_away(its))


def child(owner: Owner, name: str, database: str) -> Child:
    """The DaapDrill of a database that a plan is about to be rehearsed on a copy of."""
    return drill_for(owner, name, database, _REASONS)
