-- What became of each attempt to deploy a service. Goes with its service.

CREATE TABLE IF NOT EXISTS service_deployments (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    status VARCHAR(50) DEFAULT 'pending',
    nomad_job_id VARCHAR(255),
    started_at TIMESTAMP,
    completed_at TIMESTAMP,
    error_msg TEXT,
    deployed_by UUID NOT NULL REFERENCES users (id),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT service_deployments_status_check CHECK (
        status IN ('pending', 'running', 'completed', 'failed')
    )
);

CREATE INDEX IF NOT EXISTS service_deployments_service_id_idx ON service_deployments (service_id);
CREATE INDEX IF NOT EXISTS service_deployments_deployed_by_idx ON service_deployments (deployed_by);
CREATE INDEX IF NOT EXISTS service_deployments_status_idx ON service_deployments (status);
CREATE INDEX IF NOT EXISTS service_deployments_nomad_job_id_idx
    ON service_deployments (nomad_job_id);

COMMENT ON TABLE service_deployments IS 'Deployments of services, past and present';
