-- Which migrations were applied, and the hash of the functions and views that are there.
select
  (select sql_hash from gate.installed) as sql_hash,
  array(select version::int8 from public.gatekeeper_migration order by version) as versions,
  array(select checksum::text from public.gatekeeper_migration order by version) as checksums
