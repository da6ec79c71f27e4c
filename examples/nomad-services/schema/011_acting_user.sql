-- Who acts: settings of the transaction, which policies and triggers read.
--
-- The application connects as the database's owner, the only role there is, and says with each
-- transaction on whose behalf: SELECT app.act_as(user's id). That sets app.user_id, app.tenant_id and
-- app.role until the transaction ends, so it also holds through a pooler in transaction mode. Before
-- there is a user (a login, a fixture) it says SET LOCAL app.role = 'admin'. Who says nothing, sees
-- nothing. Another database role never acts as admin, whatever it sets.

CREATE OR REPLACE FUNCTION app.acting_user() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.user_id', true), '')::uuid;

CREATE OR REPLACE FUNCTION app.acting_tenant() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

CREATE OR REPLACE FUNCTION app.acts_as_admin() RETURNS boolean
    LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.role', true), '') = 'admin'
        AND pg_has_role(current_user, 'pg_database_owner', 'MEMBER');

-- In a tenant, with which role ever.
CREATE OR REPLACE FUNCTION app.acts_in(tenant uuid) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.role', true), '') IN ('tenant_admin', 'user')
        AND coalesce(tenant = app.acting_tenant(), false);

CREATE OR REPLACE FUNCTION app.acts_as_tenant_admin(tenant uuid) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.role', true), '') = 'tenant_admin'
        AND coalesce(tenant = app.acting_tenant(), false);

-- For the rest of the transaction. Reads the user's own row, which the policies of 013 show to them.
CREATE OR REPLACE FUNCTION app.act_as(acting_user uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    found record;
BEGIN
    PERFORM set_config('app.user_id', acting_user::text, true);
    SELECT u.role, u.tenant_id, u.is_active INTO found
    FROM public.users AS u WHERE u.id = acting_user;
    IF NOT coalesce(found.is_active, false) THEN
        RAISE EXCEPTION 'users.id: % is no active user', acting_user
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Only users with is_active = true may act; use the id of one of them.';
    END IF;
    PERFORM set_config('app.tenant_id', coalesce(found.tenant_id::text, ''), true);
    PERFORM set_config('app.role', coalesce(found.role, ''), true);
END
$$;

COMMENT ON FUNCTION app.act_as(uuid) IS 'Until the end of the transaction this user acts';
