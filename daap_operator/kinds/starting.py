"""How soon a Cluster's instance that is up is seen to be. Pure.

https://cloudnative-pg.io/documentation/current/instance_manager/#startup-probe
"""

from daap_operator.engine.child import Manifest

STARTUP_PERIOD_SECONDS = 1
"""Between two looks at an instance that starts. CloudNativePG's own 10 s are waited out by each
database that is created, restarted or restored, mostly for nothing."""

START_SECONDS = 3600
"""How long an instance has to start: CloudNativePG's own `startDelay`. It counts that in periods of
10 s whatever `periodSeconds` says, so that the number of tries must be given with it."""


def probes() -> Manifest:
    """The `probes` of a Cluster's spec."""
    period = STARTUP_PERIOD_SECONDS
    return {"startup": {"periodSeconds": period, "failureThreshold": START_SECONDS // period}}
