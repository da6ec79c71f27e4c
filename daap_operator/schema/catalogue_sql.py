"""The query that lists a database's objects, with definitions in PostgreSQL's words. Pure.

Rows are (kind, name, parent, definition); a name is quoted as SQL wants it, and the parent is the
table of what goes with one. Left out are PostgreSQL's own schemas, the runner's, what belongs to an
extension, and extensions that a superuser made, which are the platform's.
https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-CATALOG
"""

from typing import LiteralString

_COMMON: LiteralString = """
WITH members AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), places AS (
    SELECT oid, nspname, nspowner FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'daap_schema')
), relations AS (
    SELECT c.*, n.nspname, pg_catalog.format('%I.%I', n.nspname, c.relname) AS full_name,
           pg_catalog.format('owner %I', pg_catalog.pg_get_userbyid(c.relowner)) AS owned
    FROM pg_catalog.pg_class AS c JOIN places AS n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't' AND NOT EXISTS (
        SELECT FROM members
        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid)
)
"""

_SCHEMAS: LiteralString = """
SELECT 'schema', pg_catalog.format('%I', nspname), '',
       pg_catalog.format('owner %I', pg_catalog.pg_get_userbyid(nspowner))
FROM places WHERE nspname <> 'public' AND NOT EXISTS (
    SELECT FROM members
    WHERE classid = 'pg_catalog.pg_namespace'::regclass AND objid = places.oid)
"""

_TABLES: LiteralString = """
SELECT 'table', full_name, '', pg_catalog.concat_ws(' ',
    CASE relkind WHEN 'f' THEN 'foreign' WHEN 'p' THEN 'partitioned'
                 ELSE CASE relpersistence WHEN 'u' THEN 'unlogged' ELSE 'plain' END END,
    owned,
    CASE WHEN relkind = 'p' THEN pg_catalog.pg_get_partkeydef(oid) END,
    CASE WHEN relispartition THEN pg_catalog.pg_get_expr(relpartbound, oid) END,
    (SELECT 'inherits ' || pg_catalog.string_agg(
         pg_catalog.format('%I.%I', n.nspname, p.relname), ', ' ORDER BY i.inhseqno)
     FROM pg_catalog.pg_inherits AS i
     JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
     JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace
     WHERE i.inhrelid = relations.oid),
    CASE WHEN relrowsecurity THEN 'row security' END,
    CASE WHEN relforcerowsecurity THEN 'forced' END,
    CASE WHEN relreplident <> 'd' THEN 'replica identity ' || relreplident::text END,
    reloptions::text)
FROM relations WHERE relkind IN ('r', 'p', 'f')
"""

_COLUMNS: LiteralString = """
SELECT 'column', pg_catalog.format('%s.%I', full_name, a.attname), full_name,
    pg_catalog.concat_ws(' ',
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation
         THEN 'collate ' || a.attcollation::regcollation::text END,
    CASE WHEN a.attnotnull THEN 'not null' END,
    CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated' END
        || ' ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity' END)
FROM relations JOIN pg_catalog.pg_attribute AS a ON a.attrelid = relations.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
"""

_INDEXES: LiteralString = """
SELECT 'index', i.full_name, t.full_name, pg_catalog.concat_ws(' ',
    CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
    pg_catalog.pg_get_indexdef(x.indexrelid), i.reloptions::text,
    CASE WHEN x.indisreplident THEN 'replica identity' END,
    CASE WHEN x.indisclustered THEN 'clustered' END)
FROM pg_catalog.pg_index AS x JOIN relations AS i ON i.oid = x.indexrelid
JOIN relations AS t ON t.oid = x.indrelid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                  WHERE conindid = x.indexrelid AND contype IN ('p', 'u', 'x'))
"""

_CONSTRAINTS: LiteralString = """
SELECT 'constraint', pg_catalog.format('%s.%I', full_name, conname), full_name,
    pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid),
    CASE WHEN NOT convalidated THEN 'not validated' END)
FROM pg_catalog.pg_constraint AS k JOIN relations ON relations.oid = k.conrelid
WHERE contype IN ('c', 'f', 'p', 'u', 'x')
"""

_SEQUENCES: LiteralString = """
SELECT 'sequence', full_name, '', pg_catalog.format(
    '%s %s start %s increment %s from %s to %s%s', owned,
    pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
    CASE WHEN s.seqcycle THEN ' cycle' END)
FROM relations JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = relations.oid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                  WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = relations.oid
                    AND deptype = 'i')
"""

_TYPES: LiteralString = """
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
    pg_catalog.format('%I.%I', n.nspname, t.typname), '', pg_catalog.concat_ws(' ',
    pg_catalog.format('owner %I', pg_catalog.pg_get_userbyid(t.typowner)),
    (SELECT 'enum ' || pg_catalog.string_agg(pg_catalog.quote_literal(enumlabel), ', '
                                             ORDER BY enumsortorder)
     FROM pg_catalog.pg_enum WHERE enumtypid = t.oid),
    (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', attname,
         pg_catalog.format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
     FROM pg_catalog.pg_attribute
     WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped),
    CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
    CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
    (SELECT pg_catalog.string_agg(conname || ' ' || pg_catalog.pg_get_constraintdef(k.oid), ', '
                                  ORDER BY conname)
     FROM pg_catalog.pg_constraint AS k WHERE contypid = t.oid AND contype = 'c'),
    (SELECT 'range of ' || pg_catalog.format_type(rngsubtype, NULL)
     FROM pg_catalog.pg_range WHERE rngtypid = t.oid))
FROM pg_catalog.pg_type AS t JOIN places AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
WHERE (t.typtype IN ('d', 'e', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM members
                  WHERE classid = 'pg_catalog.pg_type'::regclass AND objid = t.oid)
"""

_FUNCTIONS: LiteralString = """
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                      pg_catalog.pg_get_function_identity_arguments(p.oid)), '',
    pg_catalog.concat_ws(' ',
    pg_catalog.format('owner %I', pg_catalog.pg_get_userbyid(p.proowner)),
    CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid)
         ELSE (SELECT pg_catalog.concat_ws(' ', aggtransfn::text, aggfinalfn::text,
                      pg_catalog.format_type(aggtranstype, NULL), agginitval)
               FROM pg_catalog.pg_aggregate WHERE aggfnoid = p.oid) END)
FROM pg_catalog.pg_proc AS p JOIN places AS n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM members
                  WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = p.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                  WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = p.oid
                    AND deptype = 'i')
"""

_TRIGGERS: LiteralString = """
SELECT 'trigger', pg_catalog.format('%s.%I', full_name, tgname), full_name,
    pg_catalog.pg_get_triggerdef(g.oid) || ' enabled ' || tgenabled::text
FROM pg_catalog.pg_trigger AS g JOIN relations ON relations.oid = g.tgrelid
WHERE NOT tgisinternal AND tgparentid = 0
"""

_VIEWS: LiteralString = """
SELECT CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, full_name, '',
    pg_catalog.concat_ws(' ', owned, reloptions::text, pg_catalog.pg_get_viewdef(oid))
FROM relations WHERE relkind IN ('v', 'm')
"""

_RULES: LiteralString = """
SELECT 'rule', pg_catalog.format('%s.%I', full_name, rulename), full_name,
    pg_catalog.pg_get_ruledef(w.oid) || ' enabled ' || ev_enabled::text
FROM pg_catalog.pg_rewrite AS w JOIN relations ON relations.oid = w.ev_class
WHERE rulename <> '_RETURN'
"""

_POLICIES: LiteralString = """
SELECT 'policy', pg_catalog.format('%s.%I', full_name, polname), full_name,
    pg_catalog.concat_ws(' ', CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
    'for ' || polcmd::text,
    (SELECT 'to ' || pg_catalog.string_agg(
         CASE role WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(role)::text END, ', '
         ORDER BY 1) FROM pg_catalog.unnest(polroles) AS role),
    'using ' || pg_catalog.pg_get_expr(polqual, polrelid),
    'check ' || pg_catalog.pg_get_expr(polwithcheck, polrelid))
FROM pg_catalog.pg_policy AS p JOIN relations ON relations.oid = p.polrelid
"""

_EXTENSIONS: LiteralString = """
SELECT 'extension', pg_catalog.format('%I', extname), '',
    pg_catalog.format('%s in %I', extversion, n.nspname)
FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
JOIN pg_catalog.pg_roles AS r ON r.oid = e.extowner WHERE NOT r.rolsuper
"""

OBJECTS: LiteralString = _COMMON + " UNION ALL ".join(
    (
        _SCHEMAS,
        _TABLES,
        _COLUMNS,
        _INDEXES,
        _CONSTRAINTS,
        _SEQUENCES,
        _TYPES,
        _FUNCTIONS,
        _TRIGGERS,
        _VIEWS,
        _RULES,
        _POLICIES,
        _EXTENSIONS,
    )
)
"""Run with a search_path of pg_catalog alone: PostgreSQL then writes every other name in full."""
