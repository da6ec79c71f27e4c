"""An object of ours that another one has made about its database, and that another kind serves."""

from daap_operator.engine.child import Child, Owner
from daap_operator.engine.children import ensure
from daap_operator.engine.kinds import Object
from daap_operator.engine.world import World
from daap_operator.kinds.references import database_of


async def ordered(world: World, owner: Owner, child: Child, database: str) -> Object | None:
    """What there is of it, made first where it is not; None when it is about another database.

    Raises the problem that keeps it from being made.
    """
    ensured = await ensure(world.kube, world.store, owner, child)
    if ensured.facts:
        world.wake(child.ref)  # its own controller is told by no event of what was written here
    if problem := ensured.problem():
        raise problem
    found = world.store.get(child.ref) or {}
    return found if database_of(found) == (owner.namespace, database) else None
