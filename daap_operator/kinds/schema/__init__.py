"""DaapSchemas: a database's schema as SQL files, planned, applied and verified by Jobs.

controller  a DaapSchema served and told: what the engine asks of a kind
look        one pass: looked at, applied, or told; each step may be repeated
passing     what every step of a pass needs: a Job, when to try again
backing_up  the backup before a plan, where that is asked for
rehearsing  the drill whose copy a plan is rehearsed on
running     a Job made, waited for, and its result read
reading     the files' checksums, read where a ConfigMap has changed
library     what ConfigMaps hold, each version read once for all schemas
shared      what all schemas are served with
memory      what is remembered of each, and the platform's choices
prospect    the database that it is about, and whose ledger it is; pure
status, row, metrics   what its status, its row and the metrics say; pure
due         when to look again, or to try again; pure
report      what a Job has said, and what is noted of it; pure
listed, fitting   the parts of that as a status has them, and how many have room there; pure
rehearsal   whether a plan is rehearsed, how far that is, and what it came to; pure
pods        what the pods of a Job say of themselves; pure
orders, job   what a Job is asked to do, and the Job; pure
sources     which files there are; pure
rights      what serving it takes, verb by verb, and why
watched     what is watched for it, and whom that wakes
trim        what the store keeps of a schema, its ConfigMaps and its Jobs; pure
"""
