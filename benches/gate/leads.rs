//! Leads as sources deliver them, made from the synthetic people.

use std::io::Cursor;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::SinkExt;
use tokio_postgres::Client;

use crate::Outcome;
use crate::people::Person;

/// The source that delivers them. Trusted more than the CRM, so that what it brings is written.
pub(crate) const SOURCE: &str = "bench";

/// One row of `staging.lead`.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeadRow {
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) company: String,
    pub(crate) job_title: String,
    pub(crate) city: String,
    pub(crate) country: String,
}

impl LeadRow {
    /// All that there is to know, as the CRM has it.
    pub(crate) fn complete(person: &Person) -> LeadRow {
        LeadRow {
            email: person.email.clone(),
            phone: person.phone.clone(),
            first_name: person.first_name.to_owned(),
            last_name: person.last_name.clone(),
            company: person.company.clone(),
            job_title: person.job_title.to_owned(),
            city: person.city.to_owned(),
            country: person.country.to_owned(),
        }
    }

    /// A known person with another position, which the CRM does not have yet.
    pub(crate) fn promoted(person: &Person) -> LeadRow {
        LeadRow {
            job_title: format!("Senior {}", person.job_title),
            ..LeadRow::complete(person)
        }
    }

    /// A web form: the address in another case, the name by which somebody is called.
    pub(crate) fn by_email(person: &Person) -> LeadRow {
        LeadRow {
            email: person.email.to_uppercase(),
            first_name: person.nickname.to_owned(),
            last_name: person.last_name.clone(),
            ..LeadRow::default()
        }
    }

    /// A telephone list: the number as people write it, no address.
    pub(crate) fn by_phone(person: &Person) -> LeadRow {
        LeadRow {
            phone: person.phone_as_written(),
            first_name: person.first_name.to_owned(),
            last_name: person.last_name.clone(),
            country: person.country.to_owned(),
            job_title: format!("Senior {}", person.job_title),
            ..LeadRow::default()
        }
    }

    /// A business card from a fair: a name misheard, the employer in short, no address.
    pub(crate) fn by_name(person: &Person) -> LeadRow {
        LeadRow {
            first_name: person.nickname.to_owned(),
            last_name: person.misspelt(),
            company: person.company_short.clone(),
            city: person.city.to_owned(),
            job_title: format!("Senior {}", person.job_title),
            ..LeadRow::default()
        }
    }
}

/// Leads as they come in from everywhere, when the people below `known` are in the CRM: half are known by their address
/// (some bring nothing new, some a new position), a quarter by their telephone number, an eighth only by name and
/// employer, and an eighth are new. One in fifty is delivered twice, by two sources.
pub(crate) fn mixed(known: u64, first: u64, count: u64) -> Vec<LeadRow> {
    let mut leads = Vec::new();
    for place in first.. {
        // Everybody is in at most one lead of a run: what waits for another write is not what is measured.
        let person = Person::new(place * 7 % known);
        let lead = match place % 8 {
            0 | 1 => LeadRow::by_email(&person),
            2 | 3 => LeadRow::promoted(&person),
            4 | 5 => LeadRow::by_phone(&person),
            6 => LeadRow::by_name(&person),
            _ => LeadRow::complete(&Person::new(known + place)),
        };
        if place % 50 == 0 {
            leads.push(LeadRow {
                job_title: String::new(),
                ..lead.clone()
            });
        }
        leads.push(lead);
        if leads.len() as u64 >= count {
            break;
        }
    }
    leads.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    leads
}

/// The source's own id of its next row.
pub(crate) fn next_source_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("row-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Delivers leads as an ETL job does: one COPY.
pub(crate) async fn deliver(client: &Client, leads: &[LeadRow]) -> Outcome<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for lead in leads {
        csv.write_record([
            SOURCE,
            &next_source_key(),
            &lead.email,
            &lead.phone,
            &lead.first_name,
            &lead.last_name,
            &lead.company,
            &lead.job_title,
            &lead.city,
            &lead.country,
        ])?;
    }
    let columns = "source, source_key, email, phone, first_name, last_name, company, job_title, city, country";
    let copy = format!("copy staging.lead ({columns}) from stdin with (format csv)");
    let mut sink = pin!(client.copy_in::<_, Cursor<Vec<u8>>>(&copy).await?);
    sink.send(Cursor::new(csv.into_inner()?)).await?;
    sink.finish().await?;
    Ok(())
}

/// Writes people as the sandbox takes its first contacts: CSV with the CRM's own names.
pub(crate) fn write_contacts(file: &std::path::Path, people: impl Iterator<Item = Person>) -> Outcome<()> {
    let mut csv = csv::Writer::from_path(file)?;
    csv.write_record([
        "email",
        "phone",
        "firstname",
        "lastname",
        "company",
        "jobtitle",
        "city",
        "country",
    ])?;
    for person in people {
        csv.write_record([
            &person.email,
            &person.phone,
            person.first_name,
            &person.last_name,
            &person.company,
            person.job_title,
            person.city,
            person.country,
        ])?;
    }
    csv.flush()?;
    Ok(())
}
