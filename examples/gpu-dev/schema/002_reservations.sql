-- GPU reservations: who asked for what, where it runs, and what became of it.
--
-- user_id is the GitHub name, not api_users.user_id: a reservation outlives the account. Two
-- triggers keep what the application would otherwise have to remember in each of its statements:
-- updated_at, and one entry of status_history for each status.

CREATE TABLE IF NOT EXISTS reservations (
    reservation_id VARCHAR(255) PRIMARY KEY,
    user_id VARCHAR(255) NOT NULL,
    status VARCHAR(50) NOT NULL,
    gpu_type VARCHAR(50),
    gpu_count INTEGER,
    instance_type VARCHAR(100),
    duration_hours FLOAT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    launched_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    name VARCHAR(255),
    github_user VARCHAR(255),
    pod_name VARCHAR(255),
    namespace VARCHAR(100) DEFAULT 'default',
    node_ip VARCHAR(50),
    node_port INTEGER,
    ssh_command TEXT,
    jupyter_enabled BOOLEAN DEFAULT FALSE,
    jupyter_url TEXT,
    jupyter_port INTEGER,
    jupyter_token VARCHAR(255),
    jupyter_error TEXT,
    ebs_volume_id VARCHAR(255),
    disk_name VARCHAR(255),
    failure_reason TEXT,
    current_detailed_status TEXT,
    status_history JSONB DEFAULT '[]',
    pod_logs TEXT,
    warning TEXT,
    secondary_users JSONB DEFAULT '[]',
    is_multinode BOOLEAN DEFAULT FALSE,
    master_reservation_id VARCHAR(255),
    node_index INTEGER,
    total_nodes INTEGER,
    cli_version VARCHAR(50),
    ebs_availability_zone VARCHAR(50),
    domain_name VARCHAR(255),
    fqdn VARCHAR(512),
    alb_config JSONB,
    preserve_entrypoint BOOLEAN DEFAULT false,
    node_private_ip VARCHAR(50)
);

-- A user's reservations by age; the queue; what runs of a kind of GPU; what ends next; the workers of
-- a multi-node reservation.
CREATE INDEX IF NOT EXISTS idx_reservations_user_id ON reservations (user_id, created_at);
CREATE INDEX IF NOT EXISTS idx_reservations_status ON reservations (status);
CREATE INDEX IF NOT EXISTS idx_reservations_gpu_type_status ON reservations (gpu_type, status);
CREATE INDEX IF NOT EXISTS idx_reservations_expires_at
    ON reservations (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_reservations_master_reservation_id
    ON reservations (master_reservation_id) WHERE master_reservation_id IS NOT NULL;

CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS reservations_set_updated_at ON reservations;
CREATE TRIGGER reservations_set_updated_at
    BEFORE UPDATE ON reservations
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- A statement that changes status_history itself is taken at its word.
CREATE OR REPLACE FUNCTION append_status_history() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.status = OLD.status OR NEW.status_history IS DISTINCT FROM OLD.status_history THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.status_history <> '[]' THEN
        RETURN NEW;
    END IF;
    NEW.status_history := coalesce(NEW.status_history, '[]') || jsonb_build_array(
        jsonb_strip_nulls(jsonb_build_object(
            'status', NEW.status,
            'at', now(),
            'detail', NEW.current_detailed_status
        ))
    );
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS reservations_append_status_history ON reservations;
CREATE TRIGGER reservations_append_status_history
    BEFORE INSERT OR UPDATE ON reservations
    FOR EACH ROW EXECUTE FUNCTION append_status_history();

COMMENT ON TABLE reservations IS 'GPU reservations, from the queue to their end';
COMMENT ON COLUMN reservations.user_id IS 'GitHub name of the owner';
COMMENT ON COLUMN reservations.status_history IS
    'Array of {status, at, detail}, one entry for each status, oldest first; kept by a trigger';
COMMENT ON COLUMN reservations.updated_at IS 'Time of the last change; kept by a trigger';
