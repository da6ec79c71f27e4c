-- The metadata database after all migrations. Written by `make golden`; do not edit.

CREATE TABLE public.backups (
    id uuid NOT NULL,
    name character varying(253) NOT NULL,
    namespace character varying(255) NOT NULL,
    database_name character varying(63) NOT NULL,
    store character varying(253),
    archive character varying(63),
    backup_id character varying(253),
    status character varying(20) NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    error_message text,
    leader_epoch bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT backups_deleted_at_set_when_deleted CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT backups_status_known CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'running'::character varying, 'completed'::character varying, 'failed'::character varying, 'deleted'::character varying])::text[])))
);

COMMENT ON TABLE public.backups IS 'Backups made on demand; a row for each DaapBackup, kept when that is deleted';

COMMENT ON COLUMN public.backups.id IS 'uid of the DaapBackup';

COMMENT ON COLUMN public.backups.database_name IS 'name of the DaapDatabase, in the same namespace';

COMMENT ON COLUMN public.backups.store IS 'ObjectStore in that namespace that has the backup';

COMMENT ON COLUMN public.backups.archive IS 'name of the archive within the store';

COMMENT ON COLUMN public.backups.backup_id IS 'what the backup is called in its archive';

COMMENT ON COLUMN public.backups.completed_at IS 'when the backup ended, if it can be restored';

COMMENT ON COLUMN public.backups.error_message IS 'why somebody has to act';

COMMENT ON COLUMN public.backups.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

CREATE TABLE public.databases (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying(63) NOT NULL,
    owner_team character varying(255) NOT NULL,
    purpose text DEFAULT ''::text NOT NULL,
    namespace character varying(255) DEFAULT 'default'::character varying NOT NULL,
    cluster_name character varying(255) NOT NULL,
    pooler_name character varying(255) NOT NULL,
    status character varying(20) DEFAULT 'provisioning'::character varying NOT NULL,
    host character varying(255),
    port integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    secret_name character varying(255),
    error_message text,
    generation bigint DEFAULT 0 NOT NULL,
    leader_epoch bigint DEFAULT 0 NOT NULL,
    archive text,
    store text,
    spec jsonb,
    database_name character varying(63),
    postgres_version integer,
    locale character varying(80),
    CONSTRAINT databases_deleted_at_set_when_deleted CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT databases_spec_bounded CHECK ((octet_length((spec)::text) <= 32768)),
    CONSTRAINT databases_status_known CHECK (((status)::text = ANY ((ARRAY['provisioning'::character varying, 'ready'::character varying, 'error'::character varying, 'deleting'::character varying, 'deleted'::character varying])::text[])))
);

COMMENT ON COLUMN public.databases.secret_name IS 'Kubernetes Secret, in the row''s namespace, that holds the credentials; NULL until they exist';

COMMENT ON COLUMN public.databases.error_message IS 'Why the status is error, in words for people; NULL when there is nothing to tell';

COMMENT ON COLUMN public.databases.generation IS 'metadata.generation of the DaapDatabase that the row speaks of';

COMMENT ON COLUMN public.databases.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

COMMENT ON COLUMN public.databases.archive IS 'Name of the archive of its backups within the store; NULL: it never had any';

COMMENT ON COLUMN public.databases.store IS 'Name of the ObjectStore, in its namespace, that keeps its backups; NULL: none is named';

COMMENT ON COLUMN public.databases.spec IS 'spec of the DaapDatabase, as its team wrote it; NULL: not known, or more than 32 KiB';

COMMENT ON COLUMN public.databases.database_name IS 'name of the database inside PostgreSQL';

COMMENT ON COLUMN public.databases.postgres_version IS 'major version of PostgreSQL that the data has';

COMMENT ON COLUMN public.databases.locale IS 'locale that the database was created with, as provider/locale';

CREATE TABLE public.drills (
    id uuid NOT NULL,
    name character varying(253) NOT NULL,
    namespace character varying(255) NOT NULL,
    database_name character varying(63) NOT NULL,
    database_id character varying(64),
    store character varying(253),
    archive character varying(253),
    backup_id character varying(253),
    recovered_to timestamp with time zone,
    status character varying(20) NOT NULL,
    base_seconds bigint,
    wal_seconds bigint,
    total_seconds bigint,
    relations_checked bigint,
    relations_corrupt bigint,
    tables_counted bigint,
    rows_counted bigint,
    queries_asked bigint,
    queries_failed bigint,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    error_message text,
    leader_epoch bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT drills_deleted_at_set_when_deleted CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT drills_status_known CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'restoring'::character varying, 'checking'::character varying, 'passed'::character varying, 'failed'::character varying, 'deleted'::character varying])::text[])))
);

COMMENT ON TABLE public.drills IS 'Backups restored beside their database to prove that they can be; a row for each DaapDrill, kept when that is deleted';

COMMENT ON COLUMN public.drills.id IS 'uid of the DaapDrill';

COMMENT ON COLUMN public.drills.database_name IS 'name of the DaapDatabase, in the same namespace';

COMMENT ON COLUMN public.drills.database_id IS 'uid of the DaapDatabase';

COMMENT ON COLUMN public.drills.store IS 'ObjectStore in that namespace that was restored from';

COMMENT ON COLUMN public.drills.archive IS 'name of the archive within the store';

COMMENT ON COLUMN public.drills.backup_id IS 'the base backup, by its id in the archive';

COMMENT ON COLUMN public.drills.recovered_to IS 'when the last transaction was committed that was restored';

COMMENT ON COLUMN public.drills.base_seconds IS 'fetching the base backup; NULL where that is not known';

COMMENT ON COLUMN public.drills.wal_seconds IS 'replaying the write-ahead log; NULL where that is not known';

COMMENT ON COLUMN public.drills.total_seconds IS 'from the creation of the scratch Cluster until it served';

COMMENT ON COLUMN public.drills.relations_checked IS 'tables and indexes that pg_amcheck has gone through';

COMMENT ON COLUMN public.drills.relations_corrupt IS 'how many of them it found damaged';

COMMENT ON COLUMN public.drills.tables_counted IS 'tables that are the database''s own';

COMMENT ON COLUMN public.drills.rows_counted IS 'rows in all of them';

COMMENT ON COLUMN public.drills.queries_asked IS 'queries of the owner''s that were asked';

COMMENT ON COLUMN public.drills.queries_failed IS 'how many of them failed, or were answered otherwise than expected';

COMMENT ON COLUMN public.drills.started_at IS 'when the scratch Cluster was about to be created';

COMMENT ON COLUMN public.drills.completed_at IS 'when the result was certain';

COMMENT ON COLUMN public.drills.error_message IS 'why it failed, or somebody has to act';

COMMENT ON COLUMN public.drills.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

CREATE TABLE public.leaders (
    lease text NOT NULL,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT leaders_epoch_is_int32 CHECK (((epoch >= 0) AND (epoch <= 2147483647)))
);

COMMENT ON TABLE public.leaders IS 'Which operator writes the inventory: one row for each Lease';

COMMENT ON COLUMN public.leaders.lease IS 'Namespace and name of the Lease that decides';

COMMENT ON COLUMN public.leaders.epoch IS 'leaseTransitions of the leader that wrote last; it only grows';

COMMENT ON COLUMN public.leaders.holder IS 'holderIdentity of that leader';

COMMENT ON COLUMN public.leaders.since IS 'When it first wrote';

CREATE TABLE public.restores (
    id uuid NOT NULL,
    name character varying(253) NOT NULL,
    namespace character varying(255) NOT NULL,
    database_name character varying(63) NOT NULL,
    store character varying(253),
    archive character varying(253),
    restored_to timestamp with time zone,
    backup_id character varying(253),
    safety_backup character varying(253),
    status character varying(20) NOT NULL,
    completed_at timestamp with time zone,
    error_message text,
    leader_epoch bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT restores_deleted_at_set_when_deleted CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT restores_status_known CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'backing_up'::character varying, 'replacing'::character varying, 'restoring'::character varying, 'completed'::character varying, 'failed'::character varying, 'deleted'::character varying])::text[])))
);

COMMENT ON TABLE public.restores IS 'Databases restored in place; a row for each DaapRestore, kept when that is deleted';

COMMENT ON COLUMN public.restores.id IS 'uid of the DaapRestore';

COMMENT ON COLUMN public.restores.database_name IS 'name of the DaapDatabase, in the same namespace';

COMMENT ON COLUMN public.restores.store IS 'ObjectStore in that namespace that the database was restored from';

COMMENT ON COLUMN public.restores.archive IS 'name of the archive within the store';

COMMENT ON COLUMN public.restores.restored_to IS 'the moment that was asked for, if it was not the end of a backup';

COMMENT ON COLUMN public.restores.backup_id IS 'the backup whose end was asked for';

COMMENT ON COLUMN public.restores.safety_backup IS 'DaapBackup of the state before; NULL where it was skipped';

COMMENT ON COLUMN public.restores.completed_at IS 'when clients were served again';

COMMENT ON COLUMN public.restores.error_message IS 'why somebody has to act';

COMMENT ON COLUMN public.restores.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

CREATE TABLE public.schemas (
    id uuid NOT NULL,
    name character varying(253) NOT NULL,
    namespace character varying(255) NOT NULL,
    database_name character varying(63) NOT NULL,
    database_id character varying(64),
    ledger character varying(63) NOT NULL,
    status character varying(20) NOT NULL,
    current_file character varying(253),
    files_applied bigint,
    files_pending bigint,
    findings bigint,
    differences bigint,
    ledger_checksum character varying(64),
    last_applied_at timestamp with time zone,
    verified_at timestamp with time zone,
    error_message text,
    leader_epoch bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT schemas_deleted_at_set_when_deleted CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT schemas_status_known CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'planning'::character varying, 'planned'::character varying, 'awaitingapproval'::character varying, 'applying'::character varying, 'applied'::character varying, 'failed'::character varying, 'deleted'::character varying])::text[])))
);

COMMENT ON TABLE public.schemas IS 'Schemas of databases as SQL files; a row for each DaapSchema, kept when that is deleted';

COMMENT ON COLUMN public.schemas.id IS 'uid of the DaapSchema';

COMMENT ON COLUMN public.schemas.database_name IS 'name of the DaapDatabase, in the same namespace';

COMMENT ON COLUMN public.schemas.database_id IS 'uid of the DaapDatabase';

COMMENT ON COLUMN public.schemas.ledger IS 'the ledger in the database that records what is applied';

COMMENT ON COLUMN public.schemas.current_file IS 'the last file of the schema that is applied';

COMMENT ON COLUMN public.schemas.files_applied IS 'files that are applied, fixtures too';

COMMENT ON COLUMN public.schemas.files_pending IS 'files that are to be applied';

COMMENT ON COLUMN public.schemas.findings IS 'what was found in the pending files';

COMMENT ON COLUMN public.schemas.differences IS 'objects of the database that are not as the files have made them';

COMMENT ON COLUMN public.schemas.ledger_checksum IS 'checksum of the ledger';

COMMENT ON COLUMN public.schemas.last_applied_at IS 'when a run last applied something';

COMMENT ON COLUMN public.schemas.verified_at IS 'when the database was last compared with the ledger';

COMMENT ON COLUMN public.schemas.error_message IS 'why somebody has to act';

COMMENT ON COLUMN public.schemas.leader_epoch IS 'Fencing epoch of the leader that wrote the row; it only grows';

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.databases
    ADD CONSTRAINT databases_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.drills
    ADD CONSTRAINT drills_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.leaders
    ADD CONSTRAINT leaders_pkey PRIMARY KEY (lease);

ALTER TABLE ONLY public.restores
    ADD CONSTRAINT restores_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schemas
    ADD CONSTRAINT schemas_pkey PRIMARY KEY (id);

CREATE INDEX idx_backups_database ON public.backups USING btree (namespace, database_name);

CREATE INDEX idx_backups_live ON public.backups USING btree (id) WHERE (deleted_at IS NULL);

CREATE INDEX idx_databases_deleted ON public.databases USING btree (namespace, name, deleted_at) WHERE ((deleted_at IS NOT NULL) AND (archive IS NOT NULL));

CREATE INDEX idx_databases_live ON public.databases USING btree (id) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX idx_databases_name_active ON public.databases USING btree (name) WHERE (deleted_at IS NULL);

CREATE INDEX idx_databases_owner_team ON public.databases USING btree (owner_team);

CREATE INDEX idx_databases_status ON public.databases USING btree (status);

CREATE INDEX idx_drills_database ON public.drills USING btree (namespace, database_name);

CREATE INDEX idx_drills_live ON public.drills USING btree (id) WHERE (deleted_at IS NULL);

CREATE INDEX idx_restores_database ON public.restores USING btree (namespace, database_name);

CREATE INDEX idx_restores_live ON public.restores USING btree (id) WHERE (deleted_at IS NULL);

CREATE INDEX idx_schemas_database ON public.schemas USING btree (namespace, database_name);

CREATE INDEX idx_schemas_live ON public.schemas USING btree (id) WHERE (deleted_at IS NULL);
