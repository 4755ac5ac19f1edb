//! What the connector must be told: where the CRM is, in which version it is spoken to, by whose token, how long to wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use crate::crm::CrmError;

/// Where and how HubSpot is spoken to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme and host, such as `https://api.hubapi.com`. Plain `http` is allowed to this machine alone.
    pub base_url: String,
    /// API version: `2026-09`, `2026-03` or another of that form, or `v3`. One value changes all paths.
    pub version: String,
    /// The token, asked for anew at every request.
    pub token: Token,
    /// From the start of a request to the last byte of its answer.
    pub request_deadline: Duration,
    /// For name, connection and TLS together. What fails in here was never sent.
    pub connect_timeout: Duration,
    /// HubSpot's name of the property that holds the source system's id of the person, if there is one.
    pub external_id_property: Option<String>,
}

impl Settings {
    /// The settings for HubSpot itself: its host, version `2026-09`, 20 seconds for a request, 5 to connect.
    pub fn new(token: Token) -> Self {
        Self {
            base_url: "https://api.hubapi.com".to_owned(),
            version: "2026-09".to_owned(),
            token,
            request_deadline: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            external_id_property: None,
        }
    }
}

/// A token that can change while the daemon runs, and that is never printed.
#[derive(Clone)]
pub struct Token(Arc<dyn Fn() -> String + Send + Sync>);

impl Token {
    /// Asks `source` at every request, so that a rotated token is used without a restart. It must not block for long.
    pub fn from_fn(source: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// A token that never changes.
    pub fn fixed(token: impl Into<String>) -> Self {
        let token = token.into();
        Self::from_fn(move || token.clone())
    }

    /// The token as it is now, without the line end that a file has.
    pub(super) fn now(&self) -> String {
        (self.0)().trim().to_owned()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The addresses of all endpoints in one version.
///
/// The date-based versions have the version after the room (`/crm/objects/2026-09/contacts`), v3 before it.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    base: String,
    host: String,
    secure: bool,
    contacts: String,
    properties: String,
    associations: String,
    account: String,
}

impl Endpoints {
    pub(super) fn new(base_url: &str, version: &str) -> Result<Self, CrmError> {
        let (base, host) = checked_base(base_url)?;
        let [contacts, properties, associations, account] = if version == "v3" {
            [
                "crm/v3/objects/contacts",
                "crm/v3/properties/contacts",
                "crm/v4/associations/contacts",
                "account-info/v3/details",
            ]
            .map(str::to_owned)
        } else if is_date(version) {
            [
                format!("crm/objects/{version}/contacts"),
                format!("crm/properties/{version}/contacts"),
                format!("crm/associations/{version}/contacts"),
                format!("account-info/{version}/details"),
            ]
        } else {
            return settings("crm.version is neither v3 nor a date such as 2026-09");
        };
        Ok(Self {
            secure: base.starts_with("https"),
            base,
            host,
            contacts,
            properties,
            associations,
            account,
        })
    }

    /// Host of the base URL, for messages.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether certificates will be needed.
    pub(super) fn secure(&self) -> bool {
        self.secure
    }

    /// `…/contacts`, with something behind it such as `/batch/read`.
    pub(super) fn contacts(&self, behind: &str) -> String {
        format!("{}/{}{behind}", self.base, self.contacts)
    }

    /// The definitions of the contacts' properties.
    pub(super) fn properties(&self) -> String {
        format!("{}/{}", self.base, self.properties)
    }

    /// What contacts are tied to of a kind of objects: only a name of letters, digits, `_` and `-` reaches the path.
    pub(super) fn associations(&self, kind: &str, behind: &str) -> String {
        let kind: String = kind
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
            .collect();
        format!("{}/{}/{kind}{behind}", self.base, self.associations)
    }

    /// The account behind the token.
    pub(super) fn account(&self) -> String {
        format!("{}/{}", self.base, self.account)
    }
}

fn settings<T>(problem: impl Into<String>) -> Result<T, CrmError> {
    Err(CrmError::Settings {
        problem: problem.into(),
    })
}

/// `2026-09`: four digits, a dash, two digits. Nothing else may reach a path.
fn is_date(version: &str) -> bool {
    version.len() == 7
        && version
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// The base without a slash at its end, and its host.
fn checked_base(base_url: &str) -> Result<(String, String), CrmError> {
    let Ok(url) = Url::parse(base_url) else {
        return settings("crm.base_url is not a URL; it looks like https://api.hubapi.com");
    };
    let Some(host) = url.host() else {
        return settings("crm.base_url names no host");
    };
    let loopback = match &host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return settings("crm.base_url is plain http to another machine, which would show the token; use https");
        }
        _ => return settings("crm.base_url must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return settings("crm.base_url holds a user or password; the token belongs where crm.token points to");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return settings("crm.base_url must end after the host; the paths follow from crm.version");
    }
    Ok((url.as_str().trim_end_matches('/').to_owned(), host.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_value_changes_all_paths() {
        let cases = [
            (
                "2026-09",
                "crm/objects/2026-09/contacts",
                "crm/properties/2026-09/contacts",
                "account-info/2026-09/details",
            ),
            (
                "2026-03",
                "crm/objects/2026-03/contacts",
                "crm/properties/2026-03/contacts",
                "account-info/2026-03/details",
            ),
            (
                "v3",
                "crm/v3/objects/contacts",
                "crm/v3/properties/contacts",
                "account-info/v3/details",
            ),
        ];
        for (version, contacts, properties, account) in cases {
            let endpoints = Endpoints::new("https://api.hubapi.com/", version).unwrap();
            assert_eq!(
                endpoints.contacts("/search"),
                format!("https://api.hubapi.com/{contacts}/search")
            );
            assert_eq!(endpoints.properties(), format!("https://api.hubapi.com/{properties}"));
            assert_eq!(endpoints.account(), format!("https://api.hubapi.com/{account}"));
        }
    }

    #[test]
    fn a_base_or_version_that_could_leak_the_token_is_refused() {
        let cases = [
            ("http://api.hubapi.com", "v3"),
            ("http://127.0.0.1.example.org", "v3"),
            ("ftp://localhost", "v3"),
            ("https://user:pass@api.hubapi.com", "v3"),
            ("https://api.hubapi.com/crm", "v3"),
            ("https://api.hubapi.com?x=1", "v3"),
            ("not a url", "v3"),
            ("https://api.hubapi.com", "v4/../.."),
            ("https://api.hubapi.com", "2026-9"),
            ("https://api.hubapi.com", ""),
        ];
        for (base, version) in cases {
            assert!(
                matches!(Endpoints::new(base, version), Err(CrmError::Settings { .. })),
                "{base} {version}"
            );
        }
    }

    #[test]
    fn plain_http_to_this_machine_is_allowed() {
        for base in ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080"] {
            assert!(Endpoints::new(base, "2026-09").is_ok(), "{base}");
        }
    }

    #[test]
    fn the_token_is_asked_for_anew_and_never_printed() {
        let turns = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let token =
            Token::from_fn(move || format!("pat-{}\n", turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst)));
        assert_eq!((token.now(), token.now()), ("pat-0".to_owned(), "pat-1".to_owned()));
        let settings = Settings::new(Token::fixed("pat-secret"));
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
