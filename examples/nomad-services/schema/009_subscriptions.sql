-- What tenants pay for. A tenant has one subscription at a time; former ones stay for the books.

CREATE TABLE IF NOT EXISTS subscriptions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    plan VARCHAR(50) NOT NULL,
    status VARCHAR(50) DEFAULT 'active',
    price_per_month DECIMAL(10,2),
    max_services INTEGER,
    billing_cycle VARCHAR(50) DEFAULT 'monthly',
    current_period_start TIMESTAMP,
    current_period_end TIMESTAMP,
    cancel_at_period_end BOOLEAN DEFAULT false,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT subscriptions_plan_check CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
    CONSTRAINT subscriptions_status_check CHECK (
        status IN ('active', 'canceled', 'expired', 'pending')
    ),
    CONSTRAINT subscriptions_billing_cycle_check CHECK (billing_cycle IN ('monthly', 'yearly'))
);

CREATE INDEX IF NOT EXISTS subscriptions_tenant_id_idx ON subscriptions (tenant_id);
CREATE INDEX IF NOT EXISTS subscriptions_plan_idx ON subscriptions (plan);
CREATE INDEX IF NOT EXISTS subscriptions_status_idx ON subscriptions (status);
CREATE UNIQUE INDEX IF NOT EXISTS subscriptions_one_at_a_time
    ON subscriptions (tenant_id) WHERE status IN ('active', 'pending');

COMMENT ON TABLE subscriptions IS 'Subscriptions of tenants, at most one active or pending';
