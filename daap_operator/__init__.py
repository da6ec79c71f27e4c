"""DaapDatabase: PostgreSQL databases as a platform, on top of CloudNativePG.

The data flows one way (ARCHITECTURE.md has the picture): watch events fill the store
and the queue of `engine`; a pass of a package in `kinds` turns an object into manifests, applies
what differs, reads what is, reports it, and saves it in the inventory (`mirror`).
`async def` touches the world, `def` is pure.
"""

__version__ = "0.1.0"
