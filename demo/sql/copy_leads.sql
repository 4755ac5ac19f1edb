-- How an ETL job delivers: one COPY for each export. Empty cells are NULL.
copy staging.lead (
  source, source_key, external_id, email, phone, mobile_phone, first_name, last_name, full_name, company, job_title,
  street, city, state, postal_code, country, properties, occurred_at
)
from stdin with (format csv);
