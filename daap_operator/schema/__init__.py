"""A database's schema as numbered SQL files: read, parsed, linted, planned, applied, verified.

Runs on a developer's machine, in CI and in a Job, and never in the operator's own process: the
files are a team's bytes, and the parser is a C library.
"""
