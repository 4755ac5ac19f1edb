//! The values of one contact, packed: one text and one list of ends, so that a million contacts fit in memory.

/// Number of a property in the catalog.
pub(super) type PropId = u16;

/// Values by property. Never holds an empty value: empty means not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    text: Box<str>,
    ends: Box<[(PropId, u32)]>,
}

impl Values {
    /// The value of a property, if it is set.
    pub(super) fn get(&self, property: PropId) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&property, |(id, _)| *id).ok()?;
        Some(self.slice(at))
    }

    /// All set values, by property number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PropId, &str)> {
        self.ends.iter().enumerate().map(|(at, (id, _))| (*id, self.slice(at)))
    }

    /// Sets values; an empty one clears. The last value of a property counts.
    pub(super) fn set<'a>(&mut self, sets: impl IntoIterator<Item = (PropId, &'a str)>) {
        let mut all: std::collections::BTreeMap<PropId, &str> = self.iter().collect();
        for (id, value) in sets {
            if value.is_empty() {
                all.remove(&id);
            } else {
                all.insert(id, value);
            }
        }
        let mut text = String::with_capacity(all.values().map(|value| value.len()).sum());
        let mut ends = Vec::with_capacity(all.len());
        for (id, value) in all {
            text.push_str(value);
            ends.push((id, u32::try_from(text.len()).unwrap_or(u32::MAX)));
        }
        *self = Values {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
        };
    }

    fn slice(&self, at: usize) -> &str {
        let from = if at == 0 { 0 } else { self.ends[at - 1].1 as usize };
        &self.text[from..self.ends[at].1 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_values_read_back_as_set() {
        let mut values = Values::default();
        values.set([(7, "seven"), (2, "zwei"), (300, "ü")]);
        values.set([(2, ""), (5, "five"), (300, "üü"), (9, "")]);
        assert_eq!(
            values.iter().collect::<Vec<_>>(),
            [(5, "five"), (7, "seven"), (300, "üü")]
        );
        assert_eq!(
            (values.get(2), values.get(7), values.get(300)),
            (None, Some("seven"), Some("üü"))
        );
    }
}
