-- Which subdomain leads to which reservation.
--
-- A subdomain has one reservation at a time and goes with it. The proxy looks up domain_name and
-- sends the connection to node_ip:node_port, until expires_at.

CREATE TABLE IF NOT EXISTS domain_mappings (
    domain_name VARCHAR(255) PRIMARY KEY,
    reservation_id VARCHAR(255) NOT NULL
        REFERENCES reservations (reservation_id) ON DELETE CASCADE,
    fqdn VARCHAR(512) UNIQUE,
    node_ip VARCHAR(50) NOT NULL,
    node_port INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT domain_mappings_node_port_valid CHECK (node_port BETWEEN 1 AND 65535)
);

CREATE INDEX IF NOT EXISTS idx_domain_mappings_reservation_id ON domain_mappings (reservation_id);
CREATE INDEX IF NOT EXISTS idx_domain_mappings_expires_at ON domain_mappings (expires_at);

DROP TRIGGER IF EXISTS domain_mappings_set_updated_at ON domain_mappings;
CREATE TRIGGER domain_mappings_set_updated_at
    BEFORE UPDATE ON domain_mappings
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE domain_mappings IS 'Subdomains of reservations, and the node port each leads to';
