-- Takes the three indexes along.

DROP TABLE IF EXISTS databases;
