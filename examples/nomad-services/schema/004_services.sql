-- Services that tenants run.
--
-- Within a tenant a name is unique, and there is one service of each type: two unique indexes, from
-- which it follows that (name, type, tenant_id) is unique, too. Services of the platform itself have
-- no tenant, and neither rule holds for them.

CREATE TABLE IF NOT EXISTS services (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    type VARCHAR(50) NOT NULL,
    status VARCHAR(50) DEFAULT 'stopped',
    description TEXT,
    config JSONB,
    tenant_id UUID REFERENCES tenants (id),
    created_by UUID NOT NULL REFERENCES users (id),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT services_type_check CHECK (
        type IN ('database', 'web_server', 'message_queue', 'monitoring', 'devops', 'custom')
    ),
    CONSTRAINT services_status_check CHECK (status IN ('running', 'stopped', 'error', 'pending'))
);

CREATE INDEX IF NOT EXISTS services_tenant_id_idx ON services (tenant_id);
CREATE INDEX IF NOT EXISTS services_created_by_idx ON services (created_by);
CREATE INDEX IF NOT EXISTS services_type_idx ON services (type);
CREATE INDEX IF NOT EXISTS services_status_idx ON services (status);
CREATE UNIQUE INDEX IF NOT EXISTS services_name_tenant_unique ON services (name, tenant_id);
CREATE UNIQUE INDEX IF NOT EXISTS services_type_tenant_unique ON services (type, tenant_id);

COMMENT ON TABLE services IS 'Services, one of each type for a tenant';
COMMENT ON COLUMN services.config IS
    'Image, ports, environment, volumes, resources {cpu in MHz, memory and disk in MB}, health check';
