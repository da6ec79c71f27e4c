"""DaapDatabase: PostgreSQL databases as a platform, on top of CloudNativePG.

The data flows one way (ARCHITECTURE.md has the picture): watch events fill the store
and the queue of `engine`; a pass in `reconcile` turns a DaapDatabase into manifests (`desired`),
applies what differs (`children`, `publish`), reads what is (`observed`), reports it (`status`,
`tell`), and mirrors it into PostgreSQL (`mirror`). `async def` touches the world,
`def` is pure.
"""

__version__ = "0.1.0"
