-- Every change that a user makes leaves a row in audit_logs, in the same transaction.
--
-- The row names the columns that changed, never their values: among them are passwords and keys. What
-- happens on nobody's behalf (schema changes, fixtures) leaves none, because audit_logs.user_id has to
-- name someone. The application adds where a request came from: app.ip_address, app.user_agent.

CREATE OR REPLACE FUNCTION app.write_audit_log() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    row_now jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    tenant uuid := coalesce((row_now ->> 'tenant_id')::uuid, app.acting_tenant());
BEGIN
    IF app.acting_user() IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'tenants' THEN -- one that is deleted can no longer be referred to
        tenant := (after ->> 'id')::uuid;
    END IF;
    INSERT INTO public.audit_logs
        (user_id, tenant_id, action, resource, details, ip_address, user_agent)
    VALUES (
        app.acting_user(),
        tenant,
        TG_TABLE_NAME || '.' || lower(TG_OP),
        TG_TABLE_NAME || '/' || (row_now ->> 'id'),
        CASE WHEN TG_OP = 'UPDATE' THEN (
            SELECT 'changed: ' || string_agg(column_now.key, ', ' ORDER BY column_now.key)
            FROM jsonb_each(after) AS column_now
            WHERE column_now.value IS DISTINCT FROM before -> column_now.key
                AND column_now.key <> 'updated_at'
        ) END,
        nullif(current_setting('app.ip_address', true), ''),
        nullif(current_setting('app.user_agent', true), '')
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tenants_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON tenants
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER users_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER services_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON services
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER service_deployments_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON service_deployments
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER service_templates_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON service_templates
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER api_keys_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
CREATE OR REPLACE TRIGGER subscriptions_write_audit_log
    AFTER INSERT OR UPDATE OR DELETE ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION app.write_audit_log();
