-- Users, each of at most one tenant and with one role.
--
-- admin: runs the platform, sees all tenants. tenant_admin: everything of one tenant. user: sees a
-- tenant's services and changes their own. What that means row by row is in 013_row_security.sql.

CREATE TABLE IF NOT EXISTS users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email VARCHAR(255) NOT NULL,
    username VARCHAR(255) NOT NULL,
    password VARCHAR(255) NOT NULL,
    first_name VARCHAR(255),
    last_name VARCHAR(255),
    role VARCHAR(50) DEFAULT 'user',
    is_active BOOLEAN DEFAULT true,
    tenant_id UUID REFERENCES tenants (id),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT users_email_idx UNIQUE (email),
    CONSTRAINT users_username_idx UNIQUE (username),
    CONSTRAINT users_role_check CHECK (role IN ('admin', 'user', 'tenant_admin'))
);

CREATE INDEX IF NOT EXISTS users_tenant_id_idx ON users (tenant_id);

COMMENT ON TABLE users IS 'Accounts; those who have left are made inactive, not deleted';
COMMENT ON COLUMN users.password IS 'bcrypt hash';
COMMENT ON COLUMN users.role IS 'admin, tenant_admin or user';
