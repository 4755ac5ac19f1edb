-- Remembers which functions and views are installed.
insert into gate.installed (singleton, sql_hash, version, installed_at)
values (true, $1, $2, pg_catalog.now())
on conflict (singleton) do update
set
  sql_hash = excluded.sql_hash,
  version = excluded.version,
  installed_at = excluded.installed_at
