-- When the owner of a reservation was warned that it ends, and how often.
--
-- The worker that watches for the end reads what expires soon from the index, warns, and notes it in
-- the same statement, so that a warning is sent once, however many workers there are. A reservation
-- that is extended is warned anew: a trigger forgets the warnings when expires_at changes.

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS last_expiry_warning_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE reservations ADD COLUMN IF NOT EXISTS expiry_warning_count INTEGER DEFAULT 0;

CREATE INDEX IF NOT EXISTS idx_reservations_expires_at
    ON reservations (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_api_keys_expires_at ON api_keys (expires_at) WHERE is_active;

CREATE OR REPLACE FUNCTION forget_expiry_warnings() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.last_expiry_warning_at := NULL;
    NEW.expiry_warning_count := 0;
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS reservations_forget_expiry_warnings ON reservations;
CREATE TRIGGER reservations_forget_expiry_warnings
    BEFORE UPDATE ON reservations
    FOR EACH ROW
    WHEN (NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION forget_expiry_warnings();

COMMENT ON COLUMN reservations.last_expiry_warning_at IS
    'When the owner was last warned of the end; NULL: not yet, or extended since';
COMMENT ON COLUMN reservations.expiry_warning_count IS
    'Warnings of the end that were sent since expires_at was set';
