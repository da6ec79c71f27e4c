-- What a plan allows: how many services a tenant has, and how large each of them may be.
--
-- tenants.max_services is the limit that counts; it may be less than what the plan allows, not more. A
-- change of the plan sets it to the new plan's, unless the same statement sets another one. Of two who
-- take the last place at once, the second waits for the first and is refused: an advisory lock for
-- each tenant, held to the end of the transaction.

-- cpu in MHz, memory and disk in MB, for each service. NULL: without limit.
CREATE OR REPLACE FUNCTION app.plan_limits(
    plan text, OUT max_services integer, OUT cpu integer, OUT memory integer, OUT disk integer
)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog
AS $$
    SELECT limits.max_services, limits.cpu, limits.memory, limits.disk
    FROM (
        VALUES
            ('free', 5, 1000, 2048, 10240),
            ('starter', 10, 2000, 4096, 51200),
            ('pro', 25, 8000, 16384, 204800),
            ('enterprise', NULL, NULL, NULL, NULL)
    ) AS limits (plan, max_services, cpu, memory, disk)
    WHERE limits.plan = $1
$$;

CREATE OR REPLACE FUNCTION app.check_tenant_limits() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    allowed integer := (app.plan_limits(NEW.plan)).max_services;
    used integer;
BEGIN
    IF TG_OP = 'UPDATE'
        AND NEW.plan IS DISTINCT FROM OLD.plan
        AND NEW.max_services IS NOT DISTINCT FROM OLD.max_services THEN
        NEW.max_services := allowed;
    END IF;
    NEW.max_services := coalesce(NEW.max_services, allowed);
    IF NEW.max_services > allowed THEN
        RAISE EXCEPTION 'tenants.max_services: % is more than the % that plan ''%'' allows',
            NEW.max_services, allowed, NEW.plan
            USING ERRCODE = 'check_violation',
                HINT = format('Set max_services to at most %s, or choose a larger plan.', allowed);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.id::text, 0));
    SELECT count(*) INTO used FROM public.services AS s WHERE s.tenant_id = NEW.id;
    IF used > NEW.max_services THEN
        RAISE EXCEPTION 'tenants.max_services: tenant ''%'' has % services, plan ''%'' allows it %',
            NEW.slug, used, NEW.plan, NEW.max_services
            USING ERRCODE = 'check_violation',
                HINT = format('Delete %s of its services first.', used - NEW.max_services);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER tenants_check_limits
    BEFORE INSERT OR UPDATE OF plan, max_services ON tenants
    FOR EACH ROW EXECUTE FUNCTION app.check_tenant_limits();

CREATE OR REPLACE FUNCTION app.check_service_count() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    tenant record;
    used integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.tenant_id::text, 0));
    SELECT t.slug, t.plan, t.max_services INTO tenant
    FROM public.tenants AS t WHERE t.id = NEW.tenant_id;
    SELECT count(*) INTO used
    FROM public.services AS s WHERE s.tenant_id = NEW.tenant_id AND s.id <> NEW.id;
    IF used >= tenant.max_services THEN
        RAISE EXCEPTION 'services.tenant_id: tenant ''%'' has % of the % services that plan ''%'' allows it',
            tenant.slug, used, tenant.max_services, tenant.plan
            USING ERRCODE = 'check_violation',
                HINT = 'Delete one of its services, or have its plan or max_services changed.';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER services_check_count
    BEFORE INSERT OR UPDATE OF tenant_id ON services
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL)
    EXECUTE FUNCTION app.check_service_count();

CREATE OR REPLACE FUNCTION app.check_service_resources() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    tenant_plan text := (SELECT t.plan FROM public.tenants AS t WHERE t.id = NEW.tenant_id);
    asked record;
BEGIN
    FOR asked IN
        SELECT allowed.key, allowed.value::numeric AS most,
            NEW.config #> ARRAY['resources', allowed.key] AS value
        FROM jsonb_each_text(to_jsonb(app.plan_limits(tenant_plan)) - 'max_services') AS allowed
    LOOP
        IF asked.value IS NULL THEN
            CONTINUE;
        END IF;
        IF jsonb_typeof(asked.value) <> 'number' THEN
            RAISE EXCEPTION 'services.config: resources.% is %, which is no number', asked.key, asked.value
                USING ERRCODE = 'check_violation',
                    HINT = 'Write cpu in MHz, memory and disk in MB, as numbers without quotes.';
        END IF;
        IF asked.value::numeric > asked.most THEN
            RAISE EXCEPTION 'services.config: resources.% is %, plan ''%'' allows %',
                asked.key, asked.value, tenant_plan, asked.most
                USING ERRCODE = 'check_violation',
                    HINT = format('Ask for at most %s, or have the plan changed.', asked.most);
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER services_check_resources
    BEFORE INSERT OR UPDATE OF tenant_id, config ON services
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL)
    EXECUTE FUNCTION app.check_service_resources();
