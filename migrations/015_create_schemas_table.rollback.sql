-- The rows of DaapSchemas that are gone do not come back; the leader writes those of the others again.

DROP TABLE schemas;
