-- How many GPUs of a kind are free now, as the worker that asks the cluster last saw it.
--
-- availability_updated_at says how old that is: what is too old is not to be shown. A number that
-- cannot be is refused, total_cluster_gpus included.

ALTER TABLE gpu_types ADD COLUMN IF NOT EXISTS available_gpus INTEGER DEFAULT 0;
ALTER TABLE gpu_types ADD COLUMN IF NOT EXISTS max_reservable_gpus INTEGER DEFAULT 0;
ALTER TABLE gpu_types ADD COLUMN IF NOT EXISTS availability_updated_at TIMESTAMP WITH TIME ZONE;

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'gpu_types'::regclass AND conname = 'gpu_types_availability_possible'
    ) THEN
        ALTER TABLE gpu_types ADD CONSTRAINT gpu_types_availability_possible
            CHECK (available_gpus BETWEEN 0 AND total_cluster_gpus AND max_reservable_gpus >= 0);
    END IF;
END
$$;

COMMENT ON COLUMN gpu_types.available_gpus IS 'GPUs that are free now, in the whole cluster';
COMMENT ON COLUMN gpu_types.max_reservable_gpus IS
    'The most GPUs that one reservation can have now, over all its nodes';
COMMENT ON COLUMN gpu_types.availability_updated_at IS 'When that was seen; NULL: never';
