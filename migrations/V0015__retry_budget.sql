-- Retries cost, and what works pays them back: where much fails, all replicas together do not add to it.

create table gate.retry_budget (
  only_row   boolean primary key default true,
  tokens     double precision not null default 500,
  counted_at timestamptz not null default now(),
  constraint retry_budget_only_row check (only_row),
  constraint retry_budget_tokens check (tokens between 0 and 500)
);

comment on table gate.retry_budget is 'What retries of calls may still cost, for all replicas together. First tries cost nothing.';
comment on column gate.retry_budget.only_row is 'True: there is one row.';
comment on column gate.retry_budget.tokens is '500 at the most. A retry takes 5, after a call that was not answered 10; a call that worked gives 1 back, and so does each second.';
comment on column gate.retry_budget.counted_at is 'Until when the seconds are counted.';

insert into gate.retry_budget default values;
