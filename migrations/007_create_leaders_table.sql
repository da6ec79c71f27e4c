-- depends: 006_check_status
-- The fence of the inventory: only the leader of the latest epoch writes rows.

CREATE TABLE leaders (
    lease TEXT CONSTRAINT leaders_pkey PRIMARY KEY,
    epoch BIGINT NOT NULL,
    holder TEXT NOT NULL,
    since TIMESTAMPTZ NOT NULL DEFAULT now()
);

COMMENT ON TABLE leaders IS 'Which operator writes the inventory: one row for each Lease';
COMMENT ON COLUMN leaders.lease IS 'Namespace and name of the Lease that decides';
COMMENT ON COLUMN leaders.epoch IS 'leaseTransitions of the leader that wrote last; it only grows';
COMMENT ON COLUMN leaders.holder IS 'holderIdentity of that leader';
COMMENT ON COLUMN leaders.since IS 'When it first wrote';
