insert into staging.lead (source, source_key, full_name, company, phone)
values ('webinar', 'W1', 'Bobby Fairweather', 'Northwind Orchard Supply', '+1 225 555 0101');
select state, action, reason, crm_id from staging.lead_status where source_key = 'W1';
