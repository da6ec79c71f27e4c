"""DaapDrills: one proof that the backups of one database restore, made once.

controller  a DaapDrill served, removed and told: what the engine asks of a kind
cleanup     what a drill has made removed again, and shown to be gone
steps       the drill begun, restored and checked: each step may be repeated
memory      what is remembered of each, and the platform's choices
status, row, metrics   what its status, its row and the metrics say; pure
prospect    whether the database's backups can be restored now, and whose turn it is; pure
lending     a restored copy that a DaapSchema rehearses its plan on; pure
result      what the checking Job says of the restored database; pure
desired     the scratch Cluster and its NetworkPolicy; pure
checking    the Job that checks what was restored; pure
rights      what serving it takes, verb by verb, and why
watched     what is watched for it, and whom that wakes
trim        what the store keeps of a drill and of what it makes; pure
"""
