//! E-mail addresses: what stands in a cell, as addresses that a mail server would take.

use std::borrow::Cow;
use std::collections::HashSet;

use super::lists::Lists;

/// What the lists say about addresses, ready to ask.
#[derive(Debug)]
pub(super) struct EmailRules {
    public_domains: HashSet<String>,
    role_local_parts: HashSet<String>,
    junk_local_parts: HashSet<String>,
    junk_values: HashSet<String>,
}

/// One address, lower case, the domain in its ASCII form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    text: String,
    at: usize,
}

impl Address {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or("")
    }

    pub(super) fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or("")
    }

    /// The local part without its plus-tag.
    pub(super) fn untagged_local(&self) -> &str {
        match self.local().split_once('+') {
            Some((local, _)) if !local.is_empty() => local,
            _ => self.local(),
        }
    }

    /// Without plus-tag, and as Gmail sees it; the same text as [`Self::as_str`] when there is nothing to take away.
    pub(super) fn loose(&self) -> String {
        let local = self.untagged_local();
        if matches!(self.domain(), "gmail.com" | "googlemail.com") {
            // Gmail ignores dots and knows both names: https://support.google.com/mail/answer/7436150
            format!("{}@gmail.com", local.replace('.', ""))
        } else {
            format!("{local}@{}", self.domain())
        }
    }
}

impl EmailRules {
    pub(super) fn new(lists: &Lists) -> Self {
        let lower = |list: &std::collections::BTreeSet<String>| list.iter().map(|entry| entry.to_lowercase()).collect();
        Self {
            public_domains: lower(&lists.public_mail_domains),
            role_local_parts: lower(&lists.role_local_parts),
            junk_local_parts: lower(&lists.junk_local_parts),
            junk_values: lower(&lists.junk_values),
        }
    }

    /// Does the domain belong to a mail provider?
    pub(super) fn is_public(&self, domain: &str) -> bool {
        self.public_domains.contains(domain)
            || domain
                .split_once('.')
                .is_some_and(|(name, _)| self.public_domains.contains(&format!("{name}.*")))
    }

    /// Does the local part name a function, not a person?
    pub(super) fn is_role(&self, local: &str) -> bool {
        self.role_local_parts.contains(local)
    }

    /// The addresses in a cell, at least one, the first one first. The text is clean already.
    ///
    /// # Errors
    /// The reason code: `invalid_email`, or `junk_value` for an address that nobody reads.
    pub(super) fn read_cell(&self, cell: &str) -> Result<Vec<Address>, &'static str> {
        // 254 characters is the longest address (RFC 5321); a cell may hold several, with names.
        if cell.len() > 2_000 {
            return Err("invalid_email");
        }
        let addresses = match parse(cell) {
            Some(address) => vec![address],
            None => several(cell).ok_or("invalid_email")?,
        };
        let useful: Vec<Address> = addresses.into_iter().filter(|address| !self.is_junk(address)).collect();
        if useful.is_empty() {
            Err("junk_value")
        } else {
            Ok(useful)
        }
    }

    fn is_junk(&self, address: &Address) -> bool {
        let local = address.untagged_local();
        let name = address.domain().split('.').next().unwrap_or("");
        self.junk_local_parts.contains(local) || self.junk_values.contains(local) && self.junk_values.contains(name)
    }
}

/// Several addresses behind each other, each of them valid.
fn several(cell: &str) -> Option<Vec<Address>> {
    let parts = cell
        .split([';', ',', '|', '/'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let mut addresses: Vec<Address> = Vec::new();
    for part in parts {
        // A part without an at sign is half of a name: `Doe, Jane <jane@example.com>`.
        if part.contains('@') {
            let address = parse(part)?;
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}

/// One address: bare, with `mailto:`, in angle brackets, behind a name.
fn parse(text: &str) -> Option<Address> {
    let mut text = text.trim();
    if let (Some(open), Some(close)) = (text.rfind('<'), text.rfind('>'))
        && open < close
    {
        text = text.get(open + 1..close)?;
    }
    let is_wrapping = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '.'
            )
    };
    text = text.trim_matches(is_wrapping);
    if text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("mailto:")) {
        text = text.get(7..)?.split('?').next()?.trim_matches(is_wrapping);
    }
    let (local, domain) = text.rsplit_once('@')?;
    let (local, domain) = (local.trim_end(), domain.trim());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if local.is_empty() || local.len() > 64 || dots || !local.bytes().all(allowed) {
        return None;
    }
    let domain = ascii_domain(domain)?;
    let mut address = String::with_capacity(local.len() + 1 + domain.len());
    address.push_str(local);
    address.make_ascii_lowercase();
    let at = address.len();
    address.push('@');
    address.push_str(&domain);
    (address.len() <= 254).then_some(Address { text: address, at })
}

/// A host name with at least two labels and a top level that is no number.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    let lower = if domain.is_ascii() && !domain.contains("xn--") && !domain.contains("XN--") {
        if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(domain.to_ascii_lowercase())
        } else {
            Cow::Borrowed(domain)
        }
    } else {
        let ascii = idna::domain_to_ascii(domain).ok()?;
        Cow::Owned(ascii.trim_end_matches('.').to_owned())
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let (host, top) = lower.rsplit_once('.')?;
    let top_is_name = top.len() >= 2 && (top.starts_with("xn--") || top.bytes().all(|byte| byte.is_ascii_alphabetic()));
    (top_is_name && label(top) && host.split('.').all(label)).then(|| lower.clone())
}
