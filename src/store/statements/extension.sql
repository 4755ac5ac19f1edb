-- Whether an extension is there, could be there, and whether we may create it.
select
  exists (select from pg_catalog.pg_extension where extname = $1) as installed,
  exists (select from pg_catalog.pg_available_extensions where name = $1) as available,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') as creatable
