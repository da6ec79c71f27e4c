"""Whether PostgreSQL takes the certificate that PgBouncer logs in with.

Two Secrets are read for it, and only in doubt: once for each pair of versions, and again while the
certificate is refused.
"""

from dataclasses import replace

from daap_operator import raw
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database import certificates
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Awaited, Observed

LOOK_SECONDS = 15.0
"""How often the Secrets are read while PgBouncer is refused: that they change is told nowhere."""


async def logged_in(
    world: DatabaseWorld, key: Ref, resolved: Resolved, observed: Observed
) -> Observed:
    """What was observed, with what has to be done when PgBouncer cannot log in."""
    notes = world.notes_of(key)
    notes.login_refused = await _refused(world, key, resolved)
    return refused(resolved, observed) if notes.login_refused else observed


def refused(resolved: Resolved, observed: Observed) -> Observed:
    """The same of a database whose pooler cannot log in. Pure."""
    secret = certificates.login_secret(resolved.cluster)
    message = (
        f"PgBouncer cannot log in to PostgreSQL: its certificate in Secret {secret} was issued "
        "by a previous authority. The platform team must have CloudNativePG create it again: "
        f"kubectl delete secret {secret} --namespace {resolved.namespace}"
    )
    told = Awaited(DatabaseReason.POOLER_CANNOT_LOG_IN, message, Meaning.BLOCKED)
    return replace(observed, awaited=observed.awaited or told, action=observed.action or told)


async def _refused(world: DatabaseWorld, key: Ref, resolved: Resolved) -> bool:
    notes = world.notes_of(key)
    cluster = world.store.get(Ref(known.CLUSTER, resolved.namespace, resolved.cluster))
    pooler = world.store.get(Ref(known.POOLER, resolved.namespace, resolved.pooler))
    versions = certificates.login_in_doubt(cluster, pooler)
    if versions is None or versions == notes.login_settled:
        return False
    own = await _entry(world, resolved, certificates.login_secret(resolved.cluster), "tls.crt")
    authority = await _entry(world, resolved, f"{resolved.cluster}-ca", "ca.crt")
    if certificates.another_authority(own, authority):
        return True
    if own and authority:
        notes.login_settled = versions
    return False


async def _entry(world: DatabaseWorld, resolved: Resolved, name: str, key: str) -> str:
    """An entry of a Secret as text; empty when there is none."""
    found = await world.kube.get(known.SECRET, resolved.namespace, name)
    return raw.decoded(found, "data", key)
