-- The queues between the API and its workers: reservations, and operations on disks.
--
-- Where the server has the extension pgmq, it is created: it takes no superuser. Where it has not, as
-- in CloudNativePG's standard images, a stand-in is called the same way: pgmq.create, send, read,
-- set_vt, delete, archive, list_queues. It keeps the messages of all queues in one table; README.md
-- says what else differs, and how to move to the extension.

CREATE SCHEMA IF NOT EXISTS pgmq_stand_in;

CREATE TABLE IF NOT EXISTS pgmq_stand_in.queues (
    queue_name TEXT PRIMARY KEY,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
    CONSTRAINT queues_name_valid CHECK (queue_name ~ '^[a-z0-9_]{1,47}$')
);

CREATE TABLE IF NOT EXISTS pgmq_stand_in.messages (
    msg_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue_name TEXT NOT NULL REFERENCES pgmq_stand_in.queues (queue_name) ON DELETE CASCADE,
    read_ct INTEGER NOT NULL DEFAULT 0,
    enqueued_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
    vt TIMESTAMP WITH TIME ZONE NOT NULL,
    message JSONB,
    headers JSONB,
    archived_at TIMESTAMP WITH TIME ZONE
);

-- What is next in a queue: not archived, and visible already.
CREATE INDEX IF NOT EXISTS idx_messages_queue_name_vt
    ON pgmq_stand_in.messages (queue_name, vt) WHERE archived_at IS NULL;

DO $$
BEGIN
    IF to_regtype('pgmq_stand_in.message_record') IS NULL THEN
        CREATE TYPE pgmq_stand_in.message_record AS (
            msg_id BIGINT,
            read_ct INTEGER,
            enqueued_at TIMESTAMP WITH TIME ZONE,
            vt TIMESTAMP WITH TIME ZONE,
            message JSONB,
            headers JSONB
        );
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION pgmq_stand_in.create(queue_name TEXT) RETURNS void
    LANGUAGE sql
AS $$
    INSERT INTO pgmq_stand_in.queues (queue_name) VALUES ($1) ON CONFLICT DO NOTHING
$$;

CREATE OR REPLACE FUNCTION pgmq_stand_in.list_queues()
    RETURNS TABLE (queue_name TEXT, created_at TIMESTAMP WITH TIME ZONE)
    LANGUAGE sql STABLE
AS $$
    SELECT q.queue_name, q.created_at FROM pgmq_stand_in.queues AS q ORDER BY q.queue_name
$$;

-- delay: seconds until anyone may read it.
CREATE OR REPLACE FUNCTION pgmq_stand_in.send(queue_name TEXT, msg JSONB, delay INTEGER DEFAULT 0)
    RETURNS SETOF BIGINT
    LANGUAGE sql
AS $$
    INSERT INTO pgmq_stand_in.messages (queue_name, message, vt)
    VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
    RETURNING msg_id
$$;

-- vt: seconds for which nobody else gets what is read; qty: how many messages at most.
CREATE OR REPLACE FUNCTION pgmq_stand_in.read(queue_name TEXT, vt INTEGER, qty INTEGER)
    RETURNS SETOF pgmq_stand_in.message_record
    LANGUAGE sql
AS $$
    WITH next AS (
        SELECT m.msg_id FROM pgmq_stand_in.messages AS m
        WHERE m.queue_name = $1 AND m.archived_at IS NULL AND m.vt <= clock_timestamp()
        ORDER BY m.msg_id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    )
    UPDATE pgmq_stand_in.messages AS m
    SET read_ct = m.read_ct + 1, vt = clock_timestamp() + make_interval(secs => $2)
    FROM next
    WHERE m.msg_id = next.msg_id
    RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message, m.headers
$$;

-- vt: seconds from now on; 0 gives the message back at once.
CREATE OR REPLACE FUNCTION pgmq_stand_in.set_vt(queue_name TEXT, msg_id BIGINT, vt INTEGER)
    RETURNS SETOF pgmq_stand_in.message_record
    LANGUAGE sql
AS $$
    UPDATE pgmq_stand_in.messages AS m
    SET vt = clock_timestamp() + make_interval(secs => $3)
    WHERE m.queue_name = $1 AND m.msg_id = $2 AND m.archived_at IS NULL
    RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message, m.headers
$$;

-- True when there was such a message; so for archive.
CREATE OR REPLACE FUNCTION pgmq_stand_in.delete(queue_name TEXT, msg_id BIGINT) RETURNS BOOLEAN
    LANGUAGE sql
AS $$
    WITH gone AS (
        DELETE FROM pgmq_stand_in.messages AS m
        WHERE m.queue_name = $1 AND m.msg_id = $2 AND m.archived_at IS NULL
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone)
$$;

CREATE OR REPLACE FUNCTION pgmq_stand_in.archive(queue_name TEXT, msg_id BIGINT) RETURNS BOOLEAN
    LANGUAGE sql
AS $$
    WITH put_away AS (
        UPDATE pgmq_stand_in.messages AS m
        SET archived_at = now()
        WHERE m.queue_name = $1 AND m.msg_id = $2 AND m.archived_at IS NULL
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM put_away)
$$;

-- The extension, or else the functions above once more in the schema where it has its own.
DO $$
DECLARE
    definition text;
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pgmq') THEN
        RETURN;
    END IF;
    IF to_regnamespace('pgmq') IS NULL
        AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pgmq') THEN
        CREATE EXTENSION IF NOT EXISTS pgmq;
        RETURN;
    END IF;
    CREATE SCHEMA IF NOT EXISTS pgmq;
    FOR definition IN
        SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p
        WHERE p.pronamespace = 'pgmq_stand_in'::regnamespace
    LOOP
        EXECUTE replace(definition, 'FUNCTION pgmq_stand_in.', 'FUNCTION pgmq.');
    END LOOP;
END
$$;

-- Both the extension and the stand-in leave a queue alone that is there already.
SELECT pgmq.create('reservations');
SELECT pgmq.create('disk_operations');
