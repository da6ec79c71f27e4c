-- The kinds of GPU on offer, and on which instances they come.
--
-- What is in it comes from fixtures/001_initial_gpu_types.sql. updated_at is kept by the function of
-- 002_reservations.sql.

CREATE TABLE IF NOT EXISTS gpu_types (
    gpu_type VARCHAR(50) PRIMARY KEY,
    instance_type VARCHAR(100) NOT NULL,
    max_gpus INTEGER NOT NULL,
    cpus INTEGER NOT NULL,
    memory_gb INTEGER NOT NULL,
    total_cluster_gpus INTEGER DEFAULT 0,
    max_per_node INTEGER,
    is_active BOOLEAN DEFAULT true,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    description TEXT
);

CREATE INDEX IF NOT EXISTS idx_gpu_types_is_active ON gpu_types (is_active);

DROP TRIGGER IF EXISTS gpu_types_set_updated_at ON gpu_types;
CREATE TRIGGER gpu_types_set_updated_at
    BEFORE UPDATE ON gpu_types
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE gpu_types IS 'Kinds of GPU on offer, one row for each';
COMMENT ON COLUMN gpu_types.max_gpus IS 'GPUs of one instance';
COMMENT ON COLUMN gpu_types.total_cluster_gpus IS 'GPUs of this kind in the whole cluster';
