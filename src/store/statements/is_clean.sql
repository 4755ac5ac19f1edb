-- Fails unless the session is outside of any transaction: inside one, a statement starts after its transaction did.
select 1 / (pg_catalog.now() operator(pg_catalog.=) pg_catalog.statement_timestamp())::pg_catalog.int4
