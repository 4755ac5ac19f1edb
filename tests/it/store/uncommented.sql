-- Tables, views, and columns of tables that say nothing about themselves.
select format('%s.%s', n.nspname, c.relname) || coalesce('.' || t.attname, '')
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join lateral (
  select null::name as attname, 0 as attnum
  union all
  select attname, attnum
  from pg_attribute
  where attrelid = c.oid and attnum > 0 and not attisdropped and c.relkind in ('r', 'p')
) as t on true
where
  n.nspname in ('staging', 'crm', 'rules', 'audit', 'merge', 'report', 'gate')
  and c.relkind in ('r', 'p', 'v', 'm')
  and not c.relispartition
  and not exists (
    select from pg_description as d
    where d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = t.attnum
  )
order by 1
