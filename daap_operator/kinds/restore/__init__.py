"""DaapRestores: one database put back in place to a moment, once.

controller  a DaapRestore served and told: what the engine asks of a kind
memory      what is remembered of each
watched     what is watched for it, and whom that wakes
rights      what serving it takes, verb by verb, and why
status, row, metrics   what its status, its row and the metrics say; pure
prospect    whether its database can be restored now, and from what; pure
progress    how far the database's own controller has come with it; pure
desired     the DaapBackup of the state before; pure
"""
