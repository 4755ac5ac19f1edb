//! Synthetic people: the same number always gives the same person. Names, companies and towns are as unevenly spread as
//! real ones, so that blocks and candidates are as large as they would be.

use crate::words::{
    COMMON, FAMILY_HEADS, FAMILY_TAILS, FORMS, GIVEN, POSITIONS, PROVIDERS, TOWNS, TRADE_HEADS, TRADE_TAILS,
};

/// How many people share a company on average.
const STAFF: u64 = 9;

/// One person, as the CRM would hold it.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Its number.
    pub(crate) number: u64,
    pub(crate) first_name: &'static str,
    /// The short form of the given name, or the name itself.
    pub(crate) nickname: &'static str,
    pub(crate) last_name: String,
    /// With its legal form.
    pub(crate) company: String,
    /// Without it.
    pub(crate) company_short: String,
    /// Four of five at the employer, the others at a provider. Nobody shares one.
    pub(crate) email: String,
    /// E.164. One in twenty has the number of the company's switchboard.
    pub(crate) phone: String,
    pub(crate) job_title: &'static str,
    pub(crate) city: &'static str,
    pub(crate) country: &'static str,
}

impl Person {
    /// The person with this number.
    pub(crate) fn new(number: u64) -> Person {
        let mut dice = Dice::new(number);
        let (first_name, nickname) = GIVEN[dice.uneven(GIVEN.len())];
        let last_name = family(&mut dice);
        // The employers that were there first have the most people.
        let company_number = dice.next() % (number / STAFF + 50);
        let company = Company::new(company_number);
        let (city, country, prefix) = TOWNS[company.town];
        let name = format!("{}.{}", ascii(first_name), ascii(&last_name));
        let email = if dice.below(5) == 0 {
            let provider = PROVIDERS[dice.uneven(PROVIDERS.len())];
            format!("{name}.{number}@{provider}")
        } else {
            // A number keeps namesakes of one employer apart, as firms do it.
            format!("{name}.{number}@{}", company.domain)
        };
        let own = dice.below(20) != 0;
        let phone = phone(prefix, if own { 1_000_000 + number } else { company_number });
        Person {
            number,
            first_name,
            nickname,
            last_name,
            company: format!("{} {}", company.name, FORMS[company.form]),
            company_short: company.name,
            email,
            phone,
            job_title: POSITIONS[dice.below(POSITIONS.len())],
            city,
            country,
        }
    }

    /// The family name with one letter wrong, as somebody types it who has only heard it.
    pub(crate) fn misspelt(&self) -> String {
        let letters: Vec<char> = self.last_name.chars().collect();
        let at = 2 + (self.number as usize % 3).min(letters.len().saturating_sub(3));
        let doubled = letters.iter().enumerate().flat_map(|(place, letter)| {
            let times = if place == at { 2 } else { 1 };
            std::iter::repeat_n(*letter, times)
        });
        doubled.collect()
    }

    /// The number in the way of the country, without its code: `(212) 555-0100`.
    pub(crate) fn phone_as_written(&self) -> String {
        match self.phone.strip_prefix("+1") {
            Some(rest) => format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..]),
            None => format!("00{}", &self.phone[1..]),
        }
    }
}

struct Company {
    name: String,
    domain: String,
    form: usize,
    town: usize,
}

impl Company {
    fn new(number: u64) -> Company {
        let mut dice = Dice::new(number ^ 0x00c0_4a41);
        let heads = TRADE_HEADS.len() as u64;
        let (head, tail) = (
            TRADE_HEADS[(number % heads) as usize],
            TRADE_TAILS[dice.below(TRADE_TAILS.len())],
        );
        // Beyond the pairs of words, companies are told apart by the family that owns them.
        let name = if number < heads * 8 {
            format!("{head} {tail}")
        } else {
            format!("{} {head} {tail}", family(&mut dice))
        };
        let domain = format!("{}{}.com", ascii(&name).replace(' ', ""), number % 97);
        Company {
            name,
            domain,
            form: dice.below(FORMS.len()),
            town: dice.uneven(TOWNS.len()),
        }
    }
}

/// A quarter have one of the common family names, the others one of some three thousand.
fn family(dice: &mut Dice) -> String {
    if dice.below(4) == 0 {
        return COMMON[dice.uneven(COMMON.len())].to_owned();
    }
    let head = FAMILY_HEADS[dice.below(FAMILY_HEADS.len())];
    format!("{head}{}", FAMILY_TAILS[dice.below(FAMILY_TAILS.len())])
}

/// A valid number of the town: the part after the prefix is as long as the country has it.
fn phone(prefix: &str, number: u64) -> String {
    let spread = number.wrapping_mul(7_919);
    match prefix {
        _ if prefix.starts_with("+1") => format!("{prefix}{:03}{:04}", 220 + spread % 770, spread / 770 % 10_000),
        "+4420" => format!("{prefix}7{:07}", spread % 10_000_000),
        "+331" => format!("{prefix}4{:07}", spread % 10_000_000),
        "+3491" => format!("{prefix}{:07}", 2_000_000 + spread % 7_000_000),
        _ => format!("{prefix}{:07}", 2_000_000 + spread % 7_000_000),
    }
}

fn ascii(name: &str) -> String {
    name.to_lowercase().replace('ü', "ue")
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Small numbers are drawn more often than large ones: the larger of many is rare.
    fn uneven(&mut self, bound: usize) -> usize {
        self.below(bound).min(self.below(bound))
    }
}
