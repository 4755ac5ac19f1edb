//! The properties themselves: list, read, make, change, archive.

use serde_json::{Value, json};

use super::properties::{Kind, MAX_UNIQUE, Property};
use super::wire::{Problem, Reply};
use super::world::Turn;
use super::write::text;

impl Turn<'_> {
    /// `GET …/properties/contacts`.
    pub(super) fn property_list(&mut self, archived: bool) -> Reply {
        let all = self
            .world
            .catalog
            .iter()
            .filter(|(_, property)| property.archived == archived);
        let results: Vec<Value> = all.map(|(_, property)| shape(property)).collect();
        let rows = results.len();
        Reply {
            status: 200,
            body: Some(json!({"results": results})),
            rows,
        }
    }

    /// `GET …/properties/contacts/{name}`.
    pub(super) fn property_get(&mut self, name: &str) -> Result<Reply, Problem> {
        let (_, property) = self.world.catalog.find(name).ok_or_else(|| unknown(name))?;
        Ok(Reply::json(200, shape(property)))
    }

    /// `POST …/properties/contacts`: an archived name is taken out of the archive as it is now described.
    pub(super) fn property_create(&mut self, body: &Value) -> Result<Reply, Problem> {
        let field = |name: &str| text(body, name).ok_or_else(|| Problem::missing_field(name));
        let (name, label, group) = (field("name")?, field("label")?, field("groupName")?);
        let kind = Kind::of(&field("type")?, &field("fieldType")?)
            .ok_or_else(|| Problem::validation("Invalid input JSON: unknown type or fieldType"))?;
        let mut letters = name.chars();
        let fits = letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_')
            && name.len() <= 100;
        if !fits {
            return Err(Problem::validation(format!(
                "Property name {name} must begin with a letter and have lower case letters, digits and underscores only"
            )));
        }
        if self.world.catalog.find(&name).is_some() {
            let message = format!("A property named '{name}' already exists.");
            return Err(Problem::new(409, Some("OBJECT_ALREADY_EXISTS"), message)
                .with_sub_category("Properties.PROPERTY_WITH_NAME_EXISTS"));
        }
        let unique = body.get("hasUniqueValue").and_then(Value::as_bool).unwrap_or(false);
        if unique {
            if !matches!(kind, Kind::Text | Kind::Number) {
                return Err(Problem::validation(
                    "Only text and number properties can have unique values",
                ));
            }
            if self.world.catalog.unique().count() >= MAX_UNIQUE {
                return Err(Problem::validation(format!(
                    "At most {MAX_UNIQUE} unique properties are allowed"
                )));
            }
        }
        let mut property = Property::custom(&name, kind, unique);
        (property.label, property.group) = (label, group);
        property.options = options(body);
        if let Some((id, archived)) = self.world.catalog.any(&name) {
            // Whether values are unique was settled when the property was first made.
            property.unique = archived.unique;
            let answer = shape(&property);
            self.world.catalog.change(id, |place| *place = property);
            return Ok(Reply::json(201, answer));
        }
        let answer = shape(&property);
        let id = self.world.catalog.add(property);
        if unique {
            self.world.book.add_unique(id);
        }
        Ok(Reply::json(201, answer))
    }

    /// `PATCH …/properties/contacts/{name}`: label, group and options; the rest never changes.
    pub(super) fn property_update(&mut self, name: &str, body: &Value) -> Result<Reply, Problem> {
        let (id, property) = self.world.catalog.find(name).ok_or_else(|| unknown(name))?;
        if body
            .get("hasUniqueValue")
            .is_some_and(|unique| *unique != Value::Bool(property.unique))
        {
            return Err(Problem::validation("hasUniqueValue cannot be changed"));
        }
        self.world.catalog.change(id, |property| {
            if let Some(label) = text(body, "label") {
                property.label = label;
            }
            if let Some(group) = text(body, "groupName") {
                property.group = group;
            }
            if body.get("options").is_some() && !property.defined {
                property.options = options(body);
            }
        });
        Ok(Reply::json(200, shape(self.world.catalog.at(id))))
    }

    /// `DELETE …/properties/contacts/{name}`: HubSpot's own cannot be archived.
    pub(super) fn property_archive(&mut self, name: &str) -> Result<Reply, Problem> {
        let (id, property) = self.world.catalog.find(name).ok_or_else(|| unknown(name))?;
        if property.defined {
            return Err(Problem::validation(format!(
                "The property {name} is defined by HubSpot and cannot be archived"
            )));
        }
        self.world.catalog.change(id, |property| property.archived = true);
        Ok(Reply::empty())
    }

    /// `GET /account-info/…/details`.
    pub(super) fn account(&mut self) -> Reply {
        let options = self.options;
        let (hours, minutes) = (options.utc_offset / 3600, options.utc_offset.abs() % 3600 / 60);
        let body = json!({
            "portalId": options.portal_id,
            "accountType": options.account_type,
            "timeZone": options.time_zone,
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": format!("{hours:+03}:{minutes:02}"),
            "utcOffsetMilliseconds": i64::from(options.utc_offset) * 1000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        });
        Reply::json(200, body)
    }
}

fn unknown(name: &str) -> Problem {
    Problem::new(
        404,
        Some("OBJECT_NOT_FOUND"),
        format!("Property \"{name}\" does not exist"),
    )
}

fn options(body: &Value) -> Vec<String> {
    let list = body.get("options").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|option| text(option, "value"))
        .collect()
}

fn shape(property: &Property) -> Value {
    let (kind, field) = property.kind.wire();
    let option =
        |(at, value): (usize, &String)| json!({"label": value, "value": value, "displayOrder": at, "hidden": false});
    json!({
        "name": property.name,
        "label": property.label,
        "type": kind,
        "fieldType": field,
        "groupName": property.group,
        "description": "",
        "options": property.options.iter().enumerate().map(option).collect::<Vec<_>>(),
        "displayOrder": -1,
        "calculated": property.computed.is_some(),
        "externalOptions": property.name == "hubspot_owner_id",
        "archived": property.archived,
        "hasUniqueValue": property.unique,
        "hidden": false,
        "hubspotDefined": property.defined,
        "formField": !property.read_only,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": !property.defined,
            "readOnlyDefinition": property.defined,
            "readOnlyOptions": property.defined,
            "readOnlyValue": property.read_only,
        },
    })
}
