-- updated_at is the time of the last change, also of one that was made past the ORM.

CREATE SCHEMA IF NOT EXISTS app;

COMMENT ON SCHEMA app IS 'Functions of the triggers and policies; no tables';

CREATE OR REPLACE FUNCTION app.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER tenants_set_updated_at
    BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER users_set_updated_at
    BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER services_set_updated_at
    BEFORE UPDATE ON services FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER service_deployments_set_updated_at
    BEFORE UPDATE ON service_deployments FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER service_templates_set_updated_at
    BEFORE UPDATE ON service_templates FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER api_keys_set_updated_at
    BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE OR REPLACE TRIGGER subscriptions_set_updated_at
    BEFORE UPDATE ON subscriptions FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
