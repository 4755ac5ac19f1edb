//! Holds our reading of the metadata against the crate it comes from: every pattern, every country's example.
#![allow(clippy::unwrap_used)]

use phonenumber::metadata::{DATABASE, Descriptor};

use super::pattern::Pattern;
use super::plan::PLANS;

/// Every pattern of the metadata, with examples of numbers near it.
fn patterns() -> Vec<(Descriptor, String)> {
    let mut all = Vec::new();
    for meta in (1..1000_u16).flat_map(|code| DATABASE.by_code(&code).unwrap_or_default()) {
        let kinds = meta.descriptors();
        for kind in [
            Some(kinds.general()),
            kinds.fixed_line(),
            kinds.mobile(),
            kinds.toll_free(),
            kinds.voip(),
            kinds.uan(),
        ] {
            let Some(kind) = kind else { continue };
            all.push((kind.clone(), kind.example().unwrap_or("4155550123").to_owned()));
        }
    }
    all
}

/// The example itself and strings one digit, one length away from it.
fn near(example: &str) -> Vec<String> {
    let mut near = vec![example.to_owned(), format!("{example}0"), format!("0{example}")];
    for index in 0..example.len() {
        let mut digits = example.as_bytes().to_vec();
        digits[index] = b'0' + (digits[index] - b'0' + 1 + (index % 7) as u8) % 10;
        near.push(String::from_utf8(digits).unwrap());
    }
    near.push(example[..example.len() - 1].to_owned());
    near
}

#[test]
fn every_pattern_of_the_metadata_compiles() {
    for meta in (1..1000_u16).flat_map(|code| DATABASE.by_code(&code).unwrap_or_default()) {
        let kinds = meta.descriptors();
        let sources = [
            Some(kinds.general()),
            kinds.fixed_line(),
            kinds.mobile(),
            kinds.toll_free(),
            kinds.premium_rate(),
        ]
        .into_iter()
        .chain([
            kinds.shared_cost(),
            kinds.personal_number(),
            kinds.voip(),
            kinds.pager(),
            kinds.uan(),
            kinds.voicemail(),
        ])
        .flatten()
        .map(Descriptor::national_number)
        .chain(meta.international_prefix())
        .chain(meta.national_prefix_for_parsing())
        .chain(meta.leading_digits());
        for regex in sources {
            assert!(
                Pattern::new(regex.as_str()).is_some(),
                "{}: {}",
                meta.id(),
                regex.as_str()
            );
        }
    }
}

#[test]
fn a_pattern_takes_what_the_crates_regex_takes() {
    for (kind, example) in patterns() {
        let regex = kind.national_number();
        let Some(pattern) = Pattern::new(regex.as_str()) else {
            continue;
        };
        for digits in near(&example) {
            let theirs = regex
                .find(&digits)
                .filter(|found| found.start() == 0)
                .map(|found| found.end());
            assert_eq!(
                pattern.prefix(&digits).map(|found| found.end),
                theirs,
                "{} on {digits}",
                regex.as_str()
            );
        }
    }
}

#[test]
fn the_example_of_every_kind_in_every_country_is_valid() {
    for meta in (1..1000_u16).flat_map(|code| DATABASE.by_code(&code).unwrap_or_default()) {
        let kinds = meta.descriptors();
        for kind in [kinds.fixed_line(), kinds.mobile(), kinds.toll_free()] {
            let Some(example) = kind.and_then(Descriptor::example) else {
                continue;
            };
            let whole = format!("{}{example}", meta.country_code());
            assert_eq!(PLANS.international(&whole), Some(format!("+{whole}")), "{}", meta.id());
        }
    }
}
