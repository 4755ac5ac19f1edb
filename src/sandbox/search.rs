//! Search: what the index believes, shown as what the store knows.
//!
//! A hit is found by what the contact was when the index last looked, and returned as it is now: a row may come back that
//! does not fit the filter any more. Archived and merged contacts never come back.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::builtin::{ADDITIONAL_EMAILS, CREATED, EMAIL, MODIFIED, OBJECT_ID};
use super::contact::Contact;
use super::filter::{Filter, Test, folded, words};
use super::lag::Indexed;
use super::properties::{Catalog, Kind};
use super::values::PropId;
use super::wire::{Problem, Reply, record, shown};
use super::world::{Turn, World};
use super::write::text;

/// Longest page.
const MAX_PAGE: usize = 200;
/// A query never shows more than its first rows.
const WINDOW: usize = 10_000;
/// Longest body, in characters.
const MAX_BODY: usize = 3_000;
const MAX_GROUPS: usize = 5;
const MAX_FILTERS: usize = 6;
const MAX_FILTERS_IN_ALL: usize = 18;
/// Where free text is looked for.
const FREE_TEXT: [&str; 8] = [
    "firstname",
    "lastname",
    "email",
    "phone",
    "hs_additional_emails",
    "fax",
    "mobilephone",
    "company",
];

/// By what hits are sorted. Contacts without the value come last.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Number(f64),
    Text(String),
    None,
}

/// A request, read and found to be within the limits.
struct Request {
    groups: Vec<Vec<Filter>>,
    query: Vec<String>,
    sort: PropId,
    descending: bool,
    limit: usize,
    after: usize,
}

impl Turn<'_> {
    /// `POST …/search`.
    pub(super) fn search(&mut self, body: &Value, characters: usize) -> Result<Reply, Problem> {
        if characters > MAX_BODY {
            return Err(Problem::validation(format!(
                "The request body has more than {MAX_BODY} characters"
            )));
        }
        let request = read(&self.world.catalog, body)?;
        let catalog = &self.world.catalog;
        let mut hits: Vec<(Key, u64)> = Vec::new();
        for id in candidates(self.world, &request) {
            // Gone from the store means gone from the answer, whatever the index still believes.
            let Some(current) = self.world.book.live(id) else {
                continue;
            };
            let seen = match self.world.book.lag.seen(id) {
                Indexed::Current => current,
                Indexed::Older(before) => before,
                Indexed::Nothing => continue,
            };
            if request.fits(seen, catalog) {
                hits.push((key(seen, catalog, request.sort), id));
            }
        }
        hits.sort_unstable_by(|a, b| {
            let order = match (&a.0, &b.0) {
                (Key::None, Key::None) => Ordering::Equal,
                (Key::None, _) => return Ordering::Greater,
                (_, Key::None) => return Ordering::Less,
                (a, b) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            };
            let order = if request.descending { order.reverse() } else { order };
            order.then(a.1.cmp(&b.1))
        });
        let names = body
            .get("properties")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let shown = shown(catalog, names);
        let end = request.after + request.limit;
        let page = hits.iter().skip(request.after).take(request.limit);
        let contacts = page.filter_map(|(_, id)| self.world.book.live(*id));
        let results: Vec<Value> = contacts
            .map(|contact| Value::Object(record(contact, catalog, &shown)))
            .collect();
        let rows = results.len();
        let mut answer = json!({"total": hits.len(), "results": results});
        if end < hits.len() {
            answer["paging"] = json!({"next": {"after": end.to_string()}});
        }
        Ok(Reply {
            status: 200,
            body: Some(answer),
            rows,
        })
    }
}

impl Request {
    fn fits(&self, contact: &Contact, catalog: &Catalog) -> bool {
        let grouped = self.groups.is_empty()
            || self
                .groups
                .iter()
                .any(|group| group.iter().all(|filter| filter.fits(contact, catalog)));
        grouped && self.query.iter().all(|word| has_somewhere(contact, catalog, word))
    }
}

/// Whether any of the free text properties has a word that begins so.
fn has_somewhere(contact: &Contact, catalog: &Catalog, word: &str) -> bool {
    FREE_TEXT.iter().filter_map(|name| catalog.find(name)).any(|(id, _)| {
        let value = contact.value(catalog, id).map(|value| value.to_lowercase());
        value.is_some_and(|value| words(&value).any(|one| one.starts_with(word)))
    })
}

fn read(catalog: &Catalog, body: &Value) -> Result<Request, Problem> {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut groups = Vec::new();
    for group in list(body, "filterGroups") {
        let filters = list(&group, "filters");
        if filters.len() > MAX_FILTERS {
            return Err(Problem::validation(format!(
                "A filter group has more than {MAX_FILTERS} filters"
            )));
        }
        groups.push(
            filters
                .iter()
                .map(|filter| Filter::read(catalog, filter))
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    if groups.len() > MAX_GROUPS {
        return Err(Problem::validation(format!("More than {MAX_GROUPS} filter groups")));
    }
    if groups.iter().map(Vec::len).sum::<usize>() > MAX_FILTERS_IN_ALL {
        return Err(Problem::validation(format!(
            "More than {MAX_FILTERS_IN_ALL} filters in all"
        )));
    }
    let number = |name: &str, otherwise: usize| match text(body, name) {
        None => Ok(otherwise),
        Some(text) if text.is_empty() => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::validation(format!("Invalid input JSON: {name} is not a number"))),
    };
    let (limit, after) = (number("limit", 10)?, number("after", 0)?);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::validation(format!("limit must be from 1 to {MAX_PAGE}")));
    }
    if after.saturating_add(limit) > WINDOW {
        return Err(Problem::validation(format!(
            "The requested rows {after} to {} lie beyond the first {WINDOW} of the query",
            after.saturating_add(limit)
        )));
    }
    let (sort, descending) = sort(catalog, &list(body, "sorts"))?;
    let query = text(body, "query").unwrap_or_default().to_lowercase();
    let query = words(&query).map(str::to_owned).collect();
    Ok(Request {
        groups,
        query,
        sort,
        descending,
        limit,
        after,
    })
}

/// One rule, as an object or as a text with a minus for descending; by creation when there is none.
fn sort(catalog: &Catalog, sorts: &[Value]) -> Result<(PropId, bool), Problem> {
    let (name, descending) = match sorts {
        [] => return Ok((CREATED, false)),
        [Value::String(rule)] => match rule.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (rule.clone(), false),
        },
        [rule @ Value::Object(_)] => {
            let name = text(rule, "propertyName").ok_or_else(|| Problem::missing_field("propertyName"))?;
            (name, text(rule, "direction").as_deref() == Some("DESCENDING"))
        }
        [_] => {
            return Err(Problem::validation(
                "Invalid input JSON: a sort is neither a text nor an object",
            ));
        }
        _ => return Err(Problem::validation("Only one sort is supported")),
    };
    match catalog.find(&name) {
        Some((id, _)) => Ok((id, descending)),
        None => Err(Problem::validation(format!(
            "Cannot sort by the unknown property {name}"
        ))),
    }
}

fn key(contact: &Contact, catalog: &Catalog, sort: PropId) -> Key {
    if catalog.at(sort).kind.is_numeric() {
        return contact.number(catalog, sort).map_or(Key::None, Key::Number);
    }
    contact
        .value(catalog, sort)
        .map_or(Key::None, |value| Key::Text(folded(Kind::Text, &value).into_owned()))
}

/// Contacts among which every hit is, each once.
fn candidates(world: &World, request: &Request) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    let plans: Option<Vec<Plan<'_>>> = request.groups.iter().map(|group| plan(world, group)).collect();
    match plans {
        Some(plans) if !plans.is_empty() => {
            for plan in &plans {
                plan.collect(world, &mut all);
            }
            all.extend(world.book.lag.behind());
            if plans.len() > 1 || world.book.lag.behind().next().is_some() {
                all = all.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            }
        }
        _ => all.extend(world.book.live_range(..).map(|contact| contact.id)),
    }
    all
}

/// How the contacts of one filter group are found without looking at all of them.
enum Plan<'a> {
    Emails(&'a [String]),
    Unique(PropId, &'a [String]),
    Ids(u64, u64),
    Modified(i64, i64),
}

fn plan<'a>(world: &World, group: &'a [Filter]) -> Option<Plan<'a>> {
    let exact = group.iter().find_map(|filter| match filter.wanted()? {
        texts if filter.property == EMAIL || filter.property == ADDITIONAL_EMAILS => Some(Plan::Emails(texts)),
        // Search folds case and the index does not; only where folding changes nothing do the two agree.
        texts if world.catalog.at(filter.property).unique && texts.iter().all(|one| caseless(one)) => {
            Some(Plan::Unique(filter.property, texts))
        }
        _ => None,
    });
    exact
        .or_else(|| range(group, MODIFIED).map(|(from, to)| Plan::Modified(from as i64, to as i64)))
        .or_else(|| range(group, OBJECT_ID).map(|(from, to)| Plan::Ids(from.max(0.0) as u64, to.max(0.0) as u64)))
}

fn caseless(text: &str) -> bool {
    !text.chars().any(char::is_alphabetic)
}

/// The narrowest range of a property that a group asks for.
fn range(group: &[Filter], property: PropId) -> Option<(f64, f64)> {
    let mut range = None;
    for filter in group.iter().filter(|filter| filter.property == property) {
        let (low, high) = match &filter.test {
            Test::Numbers { from, to } => (from.0, to.0),
            Test::OneOf {
                numbers, not: false, ..
            } => (
                numbers.iter().copied().fold(f64::INFINITY, f64::min),
                numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ),
            _ => continue,
        };
        let (from, to) = range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        range = Some((low.max(from), high.min(to)));
    }
    range
}

impl Plan<'_> {
    fn collect(&self, world: &World, into: &mut Vec<u64>) {
        let book = &world.book;
        match self {
            Plan::Emails(texts) => into.extend(texts.iter().filter_map(|text| book.by_email(text))),
            Plan::Unique(property, texts) => {
                into.extend(texts.iter().filter_map(|text| book.by_unique(*property, text)))
            }
            Plan::Ids(from, to) if from <= to => into.extend(book.live_range(*from..=*to).map(|contact| contact.id)),
            Plan::Ids(..) => {}
            Plan::Modified(from, to) => into.extend(book.modified_range(*from, *to)),
        }
    }
}
