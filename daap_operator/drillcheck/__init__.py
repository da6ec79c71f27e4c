"""`daap-operator drill-check`: what a restored database holds, for the checking Job of a drill.

command   what the Job runs: asks, and leaves what was found as the container's last words
amcheck   what pg_amcheck has written; pure
asked     the queries and the counts, by SQL
report    what was found, cut to what Kubernetes keeps; pure
"""

from daap_operator.drillcheck.command import main

__all__ = ["main"]
