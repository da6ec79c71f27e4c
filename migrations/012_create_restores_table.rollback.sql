-- The rows of DaapRestores that are gone do not come back; the leader writes those of the others again.

DROP TABLE restores;
