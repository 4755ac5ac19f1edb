-- Which fields were kept from whom, and by which rule?
select rule, count(*) from audit.change where verdict = 'kept' group by rule order by count desc;

-- How good are the leads of each source?
select * from report.source_quality order by trouble_percent;

-- Who was recognized although neither e-mail nor phone was known?
select lead.first_name, lead.last_name, lead.full_name, contact.first_name, contact.last_name
from audit.decision join staging.lead using (lead_id) join crm.contact using (contact_id)
where tier = 'fuzzy';
