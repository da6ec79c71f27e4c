-- Persistent disks, which outlive the reservations that use them.
--
-- A disk's name is unique for its owner. Deleting a reservation lets go of its disk. last_updated is
-- kept by a trigger.

CREATE TABLE IF NOT EXISTS disks (
    disk_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    disk_name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    size_gb INTEGER,
    disk_size TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    last_used TIMESTAMP WITH TIME ZONE,
    in_use BOOLEAN DEFAULT FALSE,
    reservation_id VARCHAR(255) REFERENCES reservations (reservation_id) ON DELETE SET NULL,
    is_backing_up BOOLEAN DEFAULT FALSE,
    is_deleted BOOLEAN DEFAULT FALSE,
    delete_date DATE,
    snapshot_count INTEGER DEFAULT 0,
    pending_snapshot_count INTEGER DEFAULT 0,
    ebs_volume_id TEXT,
    last_snapshot_at TIMESTAMP WITH TIME ZONE,
    operation_id UUID,
    operation_status TEXT,
    operation_error TEXT,
    latest_snapshot_content_s3 TEXT,
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    UNIQUE (user_id, disk_name)
);

-- Which disk a reservation has; what is to be deleted when; whose operation an answer belongs to.
CREATE INDEX IF NOT EXISTS idx_disks_reservation_id ON disks (reservation_id);
CREATE INDEX IF NOT EXISTS idx_disks_delete_date ON disks (delete_date) WHERE is_deleted;
CREATE INDEX IF NOT EXISTS idx_disks_operation_id
    ON disks (operation_id) WHERE operation_id IS NOT NULL;

CREATE OR REPLACE FUNCTION set_last_updated() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.last_updated := now();
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS disks_set_last_updated ON disks;
CREATE TRIGGER disks_set_last_updated
    BEFORE UPDATE ON disks
    FOR EACH ROW EXECUTE FUNCTION set_last_updated();

COMMENT ON TABLE disks IS 'Persistent disks of users; a deleted one stays until its delete_date';
COMMENT ON COLUMN disks.disk_size IS 'What is used of it, in words such as 1.2G';
COMMENT ON COLUMN disks.last_updated IS 'Time of the last change; kept by a trigger';
