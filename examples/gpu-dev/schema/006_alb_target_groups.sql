-- What a reservation has at the application load balancer, so that it can be removed there again.
--
-- A reservation has at most one target group for each service it offers (ssh, jupyter, http). The row
-- goes with its reservation; the target group itself is removed first, by the application.

CREATE TABLE IF NOT EXISTS alb_target_groups (
    target_group_arn VARCHAR(512) PRIMARY KEY,
    reservation_id VARCHAR(255) NOT NULL
        REFERENCES reservations (reservation_id) ON DELETE CASCADE,
    domain_name VARCHAR(255) REFERENCES domain_mappings (domain_name) ON DELETE SET NULL,
    service VARCHAR(50) NOT NULL DEFAULT 'http',
    listener_rule_arn VARCHAR(512) UNIQUE,
    instance_id VARCHAR(50),
    port INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT alb_target_groups_reservation_service_unique UNIQUE (reservation_id, service),
    CONSTRAINT alb_target_groups_service_known CHECK (service IN ('ssh', 'jupyter', 'http')),
    CONSTRAINT alb_target_groups_port_valid CHECK (port BETWEEN 1 AND 65535)
);

CREATE INDEX IF NOT EXISTS idx_alb_target_groups_domain_name ON alb_target_groups (domain_name);

DROP TRIGGER IF EXISTS alb_target_groups_set_updated_at ON alb_target_groups;
CREATE TRIGGER alb_target_groups_set_updated_at
    BEFORE UPDATE ON alb_target_groups
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE alb_target_groups IS 'Target groups and listener rules made for reservations';
