-- Tenants: the organisations that share this database, each behind its own slug and domain.
--
-- The first table, because all others refer to it. A unique column's constraint carries the name of
-- its index, so that there is one index and not two. What a plan allows is in 012_plan_limits.sql.

CREATE TABLE IF NOT EXISTS tenants (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    slug VARCHAR(255) NOT NULL,
    description TEXT,
    domain VARCHAR(255),
    is_active BOOLEAN DEFAULT true,
    plan VARCHAR(50) DEFAULT 'free',
    max_services INTEGER DEFAULT 5,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT tenants_slug_idx UNIQUE (slug),
    CONSTRAINT tenants_domain_idx UNIQUE (domain),
    CONSTRAINT tenants_plan_check CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
    CONSTRAINT tenants_max_services_check CHECK (max_services >= 0)
);

COMMENT ON TABLE tenants IS 'Organisations that share this database';
COMMENT ON COLUMN tenants.max_services IS
    'How many services it may have; never more than its plan allows. NULL: without limit';
