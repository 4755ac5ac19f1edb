//! What an e-mail address says about the name of who owns it: `jane.doe2@firm` is a Jane Doe, and not the first one there.

/// What the part before the at sign says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// How the address fits the name.
    pub(super) fit: Option<Fit>,
    /// Another given name than the one beside it, where the address holds the family name: `luky.novak` of Lukas Novak. Where
    /// there is none beside it, an initial counts too.
    pub(super) first: Option<String>,
    /// Another family name, where the address holds the given name: `anna.roe` of Anna Doe, who was a Roe once.
    pub(super) last: Option<String>,
}

/// How an address fits the name beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is made of the name.
    Name,
    /// It is made of the name and one digit, as a firm gives it to the second person of a name.
    Numbered,
    /// It is made of something else: a nickname, a maiden name, or somebody else's name.
    Other,
}

impl Fit {
    /// The word in `gate.contact_keys.email_fit`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fit::Name => "name",
            Fit::Numbered => "numbered",
            Fit::Other => "other",
        }
    }
}

/// Reads the local part of a person's address beside the folded names. `is_employers`: firms number their people, at a
/// mail provider a number is a year or nothing.
pub(super) fn owner(local: &str, first: Option<&str>, last: Option<&str>, is_employers: bool) -> Owner {
    let base = local.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = local.get(base.len()..).unwrap_or("");
    let parts: Vec<&str> = base.split(['.', '_', '-']).filter(|part| !part.is_empty()).collect();
    let compact: String = parts.concat();
    if compact.len() < 2 || !compact.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Owner::default();
    }
    let (firsts, lasts) = (spellings(first), spellings(last));
    let fits = fits(&compact, &firsts, &lasts);
    let is_new = |name: &String, known: &[String]| known.is_empty() || name.len() > 1 && !known.contains(name);
    let said_first = beside(&parts, &compact, &lasts).filter(|name| is_new(name, &firsts));
    let said_last = beside(&parts, &compact, &firsts)
        .or_else(|| beside_initial(&parts, &firsts).filter(|_| last.is_some() && !fits))
        .filter(|name| name.len() > 1)
        .filter(|name| is_new(name, &lasts));
    let fills = first.is_none() && said_first.is_some() || last.is_none() && said_last.is_some();
    let is_made_of_name = fills || fits;
    Owner {
        fit: match (first.is_some() || last.is_some(), is_made_of_name) {
            (false, _) => None,
            (true, true) if is_employers && number.len() == 1 && number != "0" => Some(Fit::Numbered),
            (true, true) => Some(Fit::Name),
            (true, false) => Some(Fit::Other),
        },
        first: said_first,
        last: said_last,
    }
}

/// The ways in which a name stands in an address: each of its words, and all of them without spaces.
fn spellings(name: Option<&str>) -> Vec<String> {
    let Some(name) = name else { return Vec::new() };
    let mut spellings: Vec<String> = name
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    spellings.push(name.replace(' ', ""));
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Whether the letters are a given name, a family name, or both in either order, one of them by its initial perhaps.
fn fits(compact: &str, firsts: &[String], lasts: &[String]) -> bool {
    let whole = |names: &[String]| names.iter().any(|name| name.len() > 1 && name == compact);
    let with_other = |these: &[String], others: &[String]| {
        these.iter().filter(|name| name.len() > 1).any(|name| {
            let rests = [compact.strip_prefix(name.as_str()), compact.strip_suffix(name.as_str())];
            rests.into_iter().flatten().any(|rest| {
                !rest.is_empty()
                    && others
                        .iter()
                        .any(|other| other == rest || rest.len() == 1 && other.starts_with(rest))
            })
        })
    };
    whole(firsts) || whole(lasts) || with_other(lasts, firsts) || with_other(firsts, lasts)
}

/// The one other word of an address that holds a known name; a single letter is an initial.
fn beside(parts: &[&str], compact: &str, known_names: &[String]) -> Option<String> {
    let known = |text: &str| known_names.iter().any(|name| name.len() > 2 && name == text);
    match parts {
        [one, other] if known(other) && !known(one) => Some((*one).to_owned()),
        [one, other] if known(one) && !known(other) => Some((*other).to_owned()),
        [_] => {
            let rests = |name: &String| [compact.strip_prefix(name.as_str()), compact.strip_suffix(name.as_str())];
            let longest = known_names
                .iter()
                .filter(|name| name.len() > 1)
                .max_by_key(|name| name.len());
            // A short name stands in many words by chance: what is left must be the longer for it.
            if let Some(name) = longest {
                let least = if name.len() > 3 { 3 } else { 4 };
                if let Some(rest) = rests(name).into_iter().flatten().find(|rest| rest.len() >= least) {
                    return Some(rest.to_owned());
                }
            }
            let initial = compact.get(..1)?;
            let ending = compact.get(compact.len() - 1..)?;
            if compact.get(1..).is_some_and(known) {
                Some(initial.to_owned())
            } else if compact.get(..compact.len() - 1).is_some_and(known) {
                Some(ending.to_owned())
            } else {
                None
            }
        }
        _ => None,
    }
}

/// The other word of an address that begins with the initial of a known given name: `a.roe` or `aroe` of Anna.
fn beside_initial(parts: &[&str], firsts: &[String]) -> Option<String> {
    let (initial, other) = match parts {
        [initial, other] if initial.len() == 1 => (*initial, *other),
        [word] => word.split_at_checked(1).filter(|(_, rest)| rest.len() > 2)?,
        _ => return None,
    };
    firsts
        .iter()
        .any(|first| first.starts_with(initial))
        .then(|| other.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(local: &str, first: &str, last: &str, expected: (&str, &str, &str)) {
        let some = |name: &'static str| Some(name).filter(|name| !name.is_empty());
        let text = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let (first, last) = (text(first), text(last));
        let found = owner(local, first.as_deref(), last.as_deref(), true);
        assert_eq!(
            found.fit.map(Fit::name),
            some(Box::leak(expected.0.to_owned().into_boxed_str()))
        );
        assert_eq!(found.first, text(expected.1));
        assert_eq!(found.last, text(expected.2));
    }

    #[test]
    fn an_address_is_made_of_its_owners_name_or_it_is_not() {
        check("jane.doe", "jane", "doe", ("name", "", ""));
        check("jdoe", "jane", "doe", ("name", "", ""));
        check("doe.jane2", "jane", "doe", ("numbered", "", ""));
        check("tom.roe", "jane", "doe", ("other", "", ""));
        check("jane1975", "jane", "doe", ("name", "", ""));
        check("x", "jane", "doe", ("", "", ""));
    }

    #[test]
    fn a_name_that_is_missing_stands_in_the_address() {
        check("jane.doe", "", "doe", ("name", "jane", ""));
        check("jane.doe", "jane", "", ("name", "", "doe"));
        check("jdoe", "", "doe", ("name", "j", ""));
    }

    #[test]
    fn another_name_stands_beside_a_known_one_or_behind_an_initial() {
        check("anna.roe", "anna", "doe", ("other", "", "roe"));
        check("aroe", "anna", "doe", ("other", "", "roe"));
        check("aishwaryaroy", "aishwarya", "rot", ("other", "", "roy"));
        check("alicehe", "jian", "he", ("other", "alice", ""));
        // What is left beside a name as short as this must be the longer for it.
        check("ashe", "jian", "he", ("other", "", ""));
        check("adoe", "anna", "doe", ("name", "", ""));
    }
}
