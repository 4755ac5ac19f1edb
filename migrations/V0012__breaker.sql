-- Where the CRM fails again and again, all replicas stand back, and one call of all finds out whether it still does.

create table gate.breaker (
  only_row    boolean primary key default true,
  failures    integer not null default 0,
  open_until  timestamptz,
  probe_until timestamptz,
  constraint breaker_only_row check (only_row),
  constraint breaker_failures check (failures >= 0),
  constraint breaker_probe check (probe_until is null or open_until is not null)
);

comment on table gate.breaker is 'Whether the CRM fails, as all replicas together see it.';
comment on column gate.breaker.only_row is 'True: there is one row.';
comment on column gate.breaker.failures is 'Calls in a row that the CRM failed: 5xx, 423, no answer, no connection. What fails while the breaker is open is not counted.';
comment on column gate.breaker.open_until is 'Nobody calls before; then one does, the probe. Null: closed, everybody may call.';
comment on column gate.breaker.probe_until is 'A probe is under way; it has until then to be answered, then another may go.';

insert into gate.breaker default values;
