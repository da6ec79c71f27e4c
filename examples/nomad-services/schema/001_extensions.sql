-- uuid-ossp, for applications that make UUIDs in SQL by its functions.
--
-- Nothing here needs it: gen_random_uuid() is PostgreSQL's own since version 13. So it is created where
-- the server has it (the database's owner may, it is a trusted extension), and done without elsewhere.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'uuid-ossp') THEN
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
    END IF;
END
$$;
