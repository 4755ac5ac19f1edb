//! The numbering plans of all countries, and libphonenumber's rules for reading a number by them.
//!
//! Plans come from the metadata in the `phonenumber` crate; the rules follow `PhoneNumberUtil.parseHelper` and
//! `isValidNumber` of <https://github.com/google/libphonenumber>. The crate's own parser is not used: it recompiles
//! patterns all the time, strips a national prefix twice, and can panic on odd input.

use std::collections::HashMap;
use std::sync::LazyLock;

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use super::pattern::Pattern;

/// All plans; made once, about a megabyte.
pub(super) static PLANS: LazyLock<Plans> = LazyLock::new(Plans::load);

/// How one kind of number looks in one country.
#[derive(Debug)]
struct Shape {
    /// Bit n set: n digits are possible. Zero: not said.
    lengths: u32,
    /// Lengths that can be dialled only within an area.
    local_lengths: u32,
    pattern: Pattern,
}

/// One country's plan.
#[derive(Debug)]
pub(super) struct Plan {
    code: u16,
    general: Shape,
    kinds: Vec<Shape>,
    leading_digits: Option<Pattern>,
    international_prefix: Option<Pattern>,
    national_prefix: Option<Pattern>,
    transform: Option<String>,
    /// A zero is dialled before the area code within the country.
    trunk_zero: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Plans {
    regions: HashMap<String, (u16, usize)>,
    by_code: HashMap<u16, Vec<Plan>>,
}

#[derive(PartialEq)]
enum Length {
    Possible,
    Local,
    TooShort,
    TooLong,
    Odd,
}

impl Plans {
    fn load() -> Self {
        let mut plans = Self {
            regions: HashMap::new(),
            by_code: HashMap::new(),
        };
        for code in 1..1000_u16 {
            for meta in DATABASE.by_code(&code).unwrap_or_default() {
                let Some(plan) = Plan::new(meta) else { continue };
                let list = plans.by_code.entry(code).or_default();
                plans.regions.insert(meta.id().to_owned(), (code, list.len()));
                list.push(plan);
            }
        }
        plans
    }

    /// The plan of a country, by its upper-case alpha-2 code.
    pub(super) fn region(&self, alpha2: &str) -> Option<&Plan> {
        let (code, index) = self.regions.get(alpha2)?;
        self.by_code.get(code)?.get(*index)
    }

    /// Reads digits that begin with a country code; gives E.164 with its plus sign, only when valid.
    pub(super) fn international(&self, digits: &str) -> Option<String> {
        for length in 1..=3 {
            let (code, national) = digits.split_at_checked(length)?;
            if let Some(main) = code.parse().ok().and_then(|code: u16| self.by_code.get(&code)?.first()) {
                return self.checked(main, main.without_national_prefix(national));
            }
        }
        None
    }

    /// Reads digits as dialled within a country.
    pub(super) fn national(&self, digits: &str, plan: &Plan) -> Option<String> {
        if let Some(prefix) = plan
            .international_prefix
            .as_ref()
            .and_then(|pattern| pattern.prefix(digits))
        {
            let rest = digits.get(prefix.end..)?;
            if !rest.starts_with('0')
                && let Some(number) = self.international(rest)
            {
                return Some(number);
            }
        }
        if let Some(rest) = digits.strip_prefix(plan.code.to_string().as_str()) {
            let national = plan.without_national_prefix(rest);
            // Where people dial a zero before an area code, digits that have none but begin with the country code lost
            // their plus sign. libphonenumber reads 49171… as an area code 491 here; nobody writes that.
            if plan.trunk_zero
                && !rest.starts_with('0')
                && let Some(number) = self.checked(plan, rest.to_owned())
            {
                return Some(number);
            }
            let better = !plan.general.pattern.matches(digits) && plan.general.pattern.matches(&national);
            if better || plan.length(digits) == Length::TooLong {
                return self.checked(plan, national);
            }
        }
        self.checked(plan, plan.without_national_prefix(digits))
    }

    /// E.164, when some country with this code has such a number.
    fn checked(&self, plan: &Plan, national: String) -> Option<String> {
        let sharing = self.by_code.get(&plan.code)?;
        let valid = if let [only] = sharing.as_slice() {
            only.has(&national)
        } else {
            sharing
                .iter()
                .find_map(|plan| match &plan.leading_digits {
                    Some(leading) => leading.prefix(&national).is_some().then(|| plan.has(&national)),
                    None => plan.has(&national).then_some(true),
                })
                .unwrap_or(false)
        };
        valid.then(|| format!("+{}{national}", plan.code))
    }
}

impl Plan {
    fn new(meta: &Metadata) -> Option<Self> {
        let kinds = meta.descriptors();
        let pattern = |source: &str| Pattern::new(source);
        let shapes: Vec<Shape> = [
            kinds.fixed_line(),
            kinds.mobile(),
            kinds.toll_free(),
            kinds.premium_rate(),
            kinds.shared_cost(),
            kinds.personal_number(),
            kinds.voip(),
            kinds.pager(),
            kinds.uan(),
            kinds.voicemail(),
        ]
        .into_iter()
        .flatten()
        .filter_map(Shape::new)
        .collect();
        let mut general = Shape::new(kinds.general())?;
        for shape in &shapes {
            general.lengths |= shape.lengths;
            general.local_lengths |= shape.local_lengths;
        }
        Some(Self {
            code: meta.country_code(),
            general,
            kinds: shapes,
            leading_digits: meta.leading_digits().and_then(|regex| pattern(regex.as_str())),
            international_prefix: meta.international_prefix().and_then(|regex| pattern(regex.as_str())),
            national_prefix: match meta.national_prefix_for_parsing() {
                Some(regex) => pattern(regex.as_str()),
                None => meta.national_prefix().and_then(pattern),
            },
            trunk_zero: meta.national_prefix() == Some("0"),
            transform: meta
                .national_prefix_transform_rule()
                .map(str::to_owned)
                .filter(|rule| !rule.is_empty()),
        })
    }

    /// Does this country have such a number, of whatever kind?
    fn has(&self, national: &str) -> bool {
        self.general.has(national) && self.kinds.iter().any(|kind| kind.has(national))
    }

    fn length(&self, national: &str) -> Length {
        let bit = 1_u32.checked_shl(national.len() as u32).unwrap_or(0);
        if self.general.lengths & bit != 0 {
            Length::Possible
        } else if self.general.local_lengths & bit != 0 {
            Length::Local
        } else if self.general.lengths.trailing_zeros() as usize > national.len() {
            Length::TooShort
        } else if (32 - self.general.lengths.leading_zeros()) as usize <= national.len() {
            Length::TooLong
        } else {
            Length::Odd
        }
    }

    /// The digits without the national prefix (the 0 of 030) and carrier codes, when what remains is a possible number.
    fn without_national_prefix(&self, digits: &str) -> String {
        self.strip_national_prefix(digits)
            .filter(|rest| !matches!(self.length(rest), Length::TooShort | Length::Local | Length::Odd))
            .unwrap_or_else(|| digits.to_owned())
    }

    fn strip_national_prefix(&self, digits: &str) -> Option<String> {
        let pattern = self.national_prefix.as_ref()?;
        let found = pattern.prefix(digits)?;
        let last_group = match pattern.groups() {
            0 => None,
            1 => found.groups[0],
            _ => found.groups[1],
        };
        let rest = match (&self.transform, last_group) {
            (Some(rule), Some(_)) => {
                let group = |index: usize| {
                    found.groups[index]
                        .and_then(|(from, to)| digits.get(from..to))
                        .unwrap_or("")
                };
                rule.replace("$1", group(0)).replace("$2", group(1)) + digits.get(found.end..)?
            }
            _ => digits.get(found.end..)?.to_owned(),
        };
        let general = &self.general.pattern;
        (!general.matches(digits) || general.matches(&rest)).then_some(rest)
    }
}

impl Shape {
    fn new(descriptor: &Descriptor) -> Option<Self> {
        let bits = |lengths: &[u16]| {
            lengths.iter().fold(0, |bits, length| {
                bits | 1_u32.checked_shl((*length).into()).unwrap_or(0)
            })
        };
        Some(Self {
            lengths: bits(descriptor.possible_length()),
            local_lengths: bits(descriptor.possible_local_length()),
            pattern: Pattern::new(descriptor.national_number().as_str())?,
        })
    }

    fn has(&self, national: &str) -> bool {
        let bit = 1_u32.checked_shl(national.len() as u32).unwrap_or(0);
        (self.lengths == 0 || self.lengths & bit != 0) && self.pattern.matches(national)
    }
}
