-- Keys for programs. A key belongs to a user and holds for one tenant.

CREATE TABLE IF NOT EXISTS api_keys (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    key VARCHAR(255) NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    tenant_id UUID REFERENCES tenants (id),
    is_active BOOLEAN DEFAULT true,
    expires_at TIMESTAMP,
    last_used TIMESTAMP,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT api_keys_key_idx UNIQUE (key)
);

CREATE INDEX IF NOT EXISTS api_keys_user_id_idx ON api_keys (user_id);
CREATE INDEX IF NOT EXISTS api_keys_tenant_id_idx ON api_keys (tenant_id);
CREATE INDEX IF NOT EXISTS api_keys_is_active_idx ON api_keys (is_active);

COMMENT ON TABLE api_keys IS 'Keys of programs, each for one user in one tenant';
