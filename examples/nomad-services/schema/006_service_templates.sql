-- Templates that services are made from. A template has no tenant: it is public, or its creator's.

CREATE TABLE IF NOT EXISTS service_templates (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    type VARCHAR(50) NOT NULL,
    description TEXT,
    icon VARCHAR(255),
    category VARCHAR(255),
    tags TEXT[],
    config JSONB,
    is_public BOOLEAN DEFAULT true,
    created_by UUID NOT NULL REFERENCES users (id),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT service_templates_type_check CHECK (
        type IN ('database', 'web_server', 'message_queue', 'monitoring', 'devops', 'custom')
    )
);

CREATE INDEX IF NOT EXISTS service_templates_name_idx ON service_templates (name);
CREATE INDEX IF NOT EXISTS service_templates_type_idx ON service_templates (type);
CREATE INDEX IF NOT EXISTS service_templates_category_idx ON service_templates (category);
CREATE INDEX IF NOT EXISTS service_templates_created_by_idx ON service_templates (created_by);
CREATE INDEX IF NOT EXISTS service_templates_is_public_idx ON service_templates (is_public);

COMMENT ON TABLE service_templates IS 'Templates of services, public or of their creator alone';
COMMENT ON COLUMN service_templates.config IS
    'As services.config, with variables such as {{DB_USER}} to be filled in';
