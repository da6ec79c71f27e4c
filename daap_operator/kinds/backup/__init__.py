"""DaapBackups: one base backup of one database, made once.

controller  a DaapBackup served, removed and told: what the engine asks of a kind
memory      what is remembered of each
watched     what is watched for it, and whom that wakes
rights      what serving it takes, verb by verb, and why
status, row, metrics   what its status, its row and the metrics say; pure
prospect    whether its database can be backed up now, and where to; pure
desired     CloudNativePG's Backup that makes it; pure
trim        what the store keeps of it; pure
"""
