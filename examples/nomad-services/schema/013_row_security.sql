-- Which rows whoever acts (011_acting_user.sql) may see and change.
--
-- FORCE, because the application is the tables' owner, to whom policies do not apply otherwise.
-- References and cascades are PostgreSQL's own business and pass, whoever acts. The policies of a
-- table are alternatives: one that says yes is enough.
--
-- | table               | admin                | tenant_admin                | user                       |
-- |---------------------|----------------------|-----------------------------|----------------------------|
-- | tenants             | all                  | sees their own              | sees their own             |
-- | users               | all                  | those of the tenant         | their own row, not the role|
-- | services            | all                  | those of the tenant         | sees the tenant's, own: all|
-- | service_deployments | all                  | of the tenant's services    | sees them, deploys own     |
-- | service_templates   | all                  | sees public ones, own: all  | the same                   |
-- | audit_logs          | all but changes      | sees the tenant's           | sees their own             |
-- | api_keys            | all                  | those of the tenant         | their own                  |
-- | subscriptions       | all                  | sees the tenant's           | nothing                    |

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenants_admin ON tenants;
CREATE POLICY tenants_admin ON tenants USING (app.acts_as_admin());
DROP POLICY IF EXISTS tenants_see_own ON tenants;
CREATE POLICY tenants_see_own ON tenants FOR SELECT USING (app.acts_in(id));

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS users_admin ON users;
CREATE POLICY users_admin ON users USING (app.acts_as_admin());
-- A tenant's admin neither makes admins nor changes one.
DROP POLICY IF EXISTS users_tenant_admin ON users;
CREATE POLICY users_tenant_admin ON users
    USING (app.acts_as_tenant_admin(tenant_id) AND role IN ('tenant_admin', 'user'));
DROP POLICY IF EXISTS users_see_themselves ON users;
CREATE POLICY users_see_themselves ON users FOR SELECT USING (id = app.acting_user());
-- Nobody gives themselves another role or another tenant.
DROP POLICY IF EXISTS users_change_themselves ON users;
CREATE POLICY users_change_themselves ON users FOR UPDATE
    USING (id = app.acting_user())
    WITH CHECK (id = app.acting_user() AND role = current_setting('app.role', true)
        AND app.acts_in(tenant_id));

ALTER TABLE services ENABLE ROW LEVEL SECURITY;
ALTER TABLE services FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS services_admin ON services;
CREATE POLICY services_admin ON services USING (app.acts_as_admin());
DROP POLICY IF EXISTS services_tenant_admin ON services;
CREATE POLICY services_tenant_admin ON services USING (app.acts_as_tenant_admin(tenant_id));
DROP POLICY IF EXISTS services_see_tenants ON services;
CREATE POLICY services_see_tenants ON services FOR SELECT USING (app.acts_in(tenant_id));
DROP POLICY IF EXISTS services_own ON services;
CREATE POLICY services_own ON services
    USING (app.acts_in(tenant_id) AND created_by = app.acting_user());

ALTER TABLE service_deployments ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_deployments FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS service_deployments_admin ON service_deployments;
CREATE POLICY service_deployments_admin ON service_deployments USING (app.acts_as_admin());
DROP POLICY IF EXISTS service_deployments_tenant_admin ON service_deployments;
CREATE POLICY service_deployments_tenant_admin ON service_deployments
    USING (EXISTS (
        SELECT FROM services AS s WHERE s.id = service_id AND app.acts_as_tenant_admin(s.tenant_id)
    ));
DROP POLICY IF EXISTS service_deployments_see_tenants ON service_deployments;
CREATE POLICY service_deployments_see_tenants ON service_deployments FOR SELECT
    USING (EXISTS (SELECT FROM services AS s WHERE s.id = service_id AND app.acts_in(s.tenant_id)));
DROP POLICY IF EXISTS service_deployments_deploy_own ON service_deployments;
CREATE POLICY service_deployments_deploy_own ON service_deployments FOR INSERT
    WITH CHECK (deployed_by = app.acting_user() AND EXISTS (
        SELECT FROM services AS s
        WHERE s.id = service_id AND app.acts_in(s.tenant_id) AND s.created_by = app.acting_user()
    ));
DROP POLICY IF EXISTS service_deployments_follow_own ON service_deployments;
CREATE POLICY service_deployments_follow_own ON service_deployments FOR UPDATE
    USING (deployed_by = app.acting_user() AND EXISTS (
        SELECT FROM services AS s
        WHERE s.id = service_id AND app.acts_in(s.tenant_id) AND s.created_by = app.acting_user()
    ));

ALTER TABLE service_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_templates FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS service_templates_admin ON service_templates;
CREATE POLICY service_templates_admin ON service_templates USING (app.acts_as_admin());
DROP POLICY IF EXISTS service_templates_see_public ON service_templates;
CREATE POLICY service_templates_see_public ON service_templates FOR SELECT
    USING (is_public AND app.acts_in(app.acting_tenant()));
DROP POLICY IF EXISTS service_templates_own ON service_templates;
CREATE POLICY service_templates_own ON service_templates
    USING (created_by = app.acting_user() AND app.acts_in(app.acting_tenant()));

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;

-- No policy for UPDATE: what was written stays as it is. An admin may delete what was archived.
DROP POLICY IF EXISTS audit_logs_admin_sees ON audit_logs;
CREATE POLICY audit_logs_admin_sees ON audit_logs FOR SELECT USING (app.acts_as_admin());
DROP POLICY IF EXISTS audit_logs_admin_writes ON audit_logs;
CREATE POLICY audit_logs_admin_writes ON audit_logs FOR INSERT WITH CHECK (app.acts_as_admin());
DROP POLICY IF EXISTS audit_logs_admin_archives ON audit_logs;
CREATE POLICY audit_logs_admin_archives ON audit_logs FOR DELETE USING (app.acts_as_admin());
DROP POLICY IF EXISTS audit_logs_tenant_admin_sees ON audit_logs;
CREATE POLICY audit_logs_tenant_admin_sees ON audit_logs FOR SELECT
    USING (app.acts_as_tenant_admin(tenant_id));
DROP POLICY IF EXISTS audit_logs_see_own ON audit_logs;
CREATE POLICY audit_logs_see_own ON audit_logs FOR SELECT
    USING (user_id = app.acting_user() AND app.acts_in(tenant_id));
DROP POLICY IF EXISTS audit_logs_write_own ON audit_logs;
CREATE POLICY audit_logs_write_own ON audit_logs FOR INSERT
    WITH CHECK (user_id = app.acting_user() AND app.acts_in(tenant_id));

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS api_keys_admin ON api_keys;
CREATE POLICY api_keys_admin ON api_keys USING (app.acts_as_admin());
-- The key's user has to be one that a tenant's admin sees: of the same tenant, and no admin.
DROP POLICY IF EXISTS api_keys_tenant_admin ON api_keys;
CREATE POLICY api_keys_tenant_admin ON api_keys
    USING (app.acts_as_tenant_admin(tenant_id)
        AND EXISTS (SELECT FROM users AS u WHERE u.id = user_id));
DROP POLICY IF EXISTS api_keys_own ON api_keys;
CREATE POLICY api_keys_own ON api_keys
    USING (user_id = app.acting_user() AND app.acts_in(tenant_id));

ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS subscriptions_admin ON subscriptions;
CREATE POLICY subscriptions_admin ON subscriptions USING (app.acts_as_admin());
DROP POLICY IF EXISTS subscriptions_tenant_admin_sees ON subscriptions;
CREATE POLICY subscriptions_tenant_admin_sees ON subscriptions FOR SELECT
    USING (app.acts_as_tenant_admin(tenant_id));
