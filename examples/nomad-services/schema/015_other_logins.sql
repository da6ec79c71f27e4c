-- What another database role, which only the platform team can make, is given to work with the tables.
--
-- The policies hold for it as for the owner, and it never acts as admin. Call the function again for
-- each further role: SELECT app.grant_access('reporting').

CREATE OR REPLACE FUNCTION app.grant_access(login name) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA public, app TO %I', login);
    -- Not TRUNCATE, which passes by all policies.
    EXECUTE format(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON public.tenants, public.users, public.services, '
        'public.service_deployments, public.service_templates, public.api_keys, '
        'public.subscriptions TO %I', login
    );
    EXECUTE format('GRANT SELECT, INSERT ON public.audit_logs TO %I', login);
END
$$;

DO $$
BEGIN
    IF to_regrole('nomad_services_app') IS NOT NULL THEN
        PERFORM app.grant_access('nomad_services_app');
    END IF;
END
$$;
