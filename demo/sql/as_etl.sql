-- An ETL job's rights, until the end of the transaction: it may insert leads, and read what became of its own.
set local role gatekeeper_etl;
