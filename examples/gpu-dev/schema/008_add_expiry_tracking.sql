-- When the owner of a reservation was warned that it ends, and how often.
--
-- The worker that watches for the end claims a warning with an UPDATE of these columns before it sends
-- it, so that it is sent once, however many workers there are. The owner of a reservation that is
-- extended is warned again: a trigger forgets the warnings when expires_at changes.

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS last_expiry_warning_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE reservations ADD COLUMN IF NOT EXISTS expiry_warning_count INTEGER DEFAULT 0;

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
