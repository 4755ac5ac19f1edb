//! Identity: whom a lead is, from its candidates.
//!
//! The hierarchy is external id, e-mail, phone, then the fuzzy tier. Tiers that disagree are never guessed.

use super::policy::Thresholds;
use crate::domain::{Candidate, ContactId, Names, Normalized, Target, Tier};

/// Whom a lead is.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    /// A known person.
    Known {
        /// Who.
        contact_id: ContactId,
        /// What said so.
        tier: Tier,
        /// Score of that candidate.
        score: f32,
    },
    /// Nobody known.
    New {
        /// Score of the best candidate that was not good enough.
        best_score: Option<f32>,
    },
    /// A person must decide.
    Review {
        /// Reason code.
        reason: &'static str,
        /// Whom the question is about.
        between: Vec<ContactId>,
        /// Score of the best candidate.
        best_score: Option<f32>,
    },
}

/// Bits that a match without an identifier needs above the threshold when a name is missing or does not fit.
const WITHOUT_A_NAME: f32 = 2.0;

/// A candidate whose target is a contact for certain: peers stand for the contact that was decided for them.
#[derive(Debug, Clone, Copy)]
struct Person<'a> {
    contact_id: ContactId,
    candidate: &'a Candidate,
}

/// Finds out whom a lead is. `contact_of_peer` says which contact an earlier lead of the batch became, if any.
pub fn identify(
    lead: &Normalized,
    candidates: &[Candidate],
    contact_of_peer: impl Fn(usize) -> Option<ContactId>,
    thresholds: &Thresholds,
) -> Identity {
    let people = people(candidates, contact_of_peer);
    let best_score = people.iter().map(|person| person.candidate.score).reduce(f32::max);
    let review = |reason, about: &[&[&Person<'_>]]| Identity::Review {
        reason,
        between: about
            .iter()
            .copied()
            .flatten()
            .map(|person| person.contact_id)
            .collect(),
        best_score,
    };
    let known = |person: &Person<'_>, tier| Identity::Known {
        contact_id: person.contact_id,
        tier,
        score: person.candidate.score,
    };
    let found_by = |tier: Tier| {
        people
            .iter()
            .filter(move |person| person.candidate.by.contains(&tier))
            .collect::<Vec<_>>()
    };
    let not_conflicting = |person: &&&Person<'_>| person.candidate.names != Names::Conflict;

    let by_id = found_by(Tier::ExternalId);
    let by_email = found_by(Tier::Email);
    let email_fits: Vec<_> = by_email.iter().filter(not_conflicting).copied().collect();
    let by_phone = found_by(Tier::Phone);
    let phone_fits: Vec<_> = by_phone.iter().filter(not_conflicting).copied().collect();
    let phone_agrees: Vec<_> = phone_fits
        .iter()
        .filter(|person| person.candidate.names == Names::Agree)
        .copied()
        .collect();
    // A number that one contact alone carries speaks for that contact; one that colleagues share speaks only for those
    // whose name fits.
    let phone_says = if by_phone.len() == 1 {
        by_phone.clone()
    } else {
        phone_agrees.clone()
    };
    let disagrees =
        |with: &[&Person<'_>], who: &Person<'_>| !with.is_empty() && with.iter().all(|person| !one_person(person, who));

    if !by_id.is_empty() {
        return match only_person(&by_id) {
            Some(person) if disagrees(&email_fits, person) || disagrees(&phone_says, person) => {
                review("tiers_disagree", &[&by_id, &email_fits, &phone_says])
            }
            Some(person) => known(person, Tier::ExternalId),
            None => review("ambiguous_external_id", &[&by_id]),
        };
    }
    if !by_email.is_empty() {
        return match only_person(&email_fits) {
            _ if email_fits.is_empty() => review("same_email_other_name", &[&by_email]),
            Some(person) if disagrees(&phone_says, person) => review("tiers_disagree", &[&email_fits, &phone_says]),
            Some(person) => known(person, Tier::Email),
            None => review("ambiguous_email", &[&email_fits]),
        };
    }

    let nameless = lead.keys.first_name.is_none() && lead.keys.last_name.is_none();
    match phone_agrees.as_slice() {
        [] => {}
        [person] => return known(person, Tier::Phone),
        several => {
            return match clear_winner(several, thresholds.margin) {
                Some(person) => known(person, Tier::Phone),
                None => review("ambiguous_phone", &[several]),
            };
        }
    }
    match phone_fits.as_slice() {
        [person] if nameless => return known(person, Tier::Phone),
        [_, _, ..] if nameless => return review("ambiguous_phone", &[&phone_fits]),
        _ => {}
    }

    let fuzzy: Vec<_> = people
        .iter()
        .filter(|person| person.candidate.names != Names::Conflict)
        .collect();
    let Some(best) = best_of(&fuzzy) else {
        return Identity::New { best_score };
    };
    // What resembles in all but a name may be a colleague: one number and one employer, another family name. More must speak
    // for it.
    let needed = match best.candidate.names {
        Names::Agree => thresholds.same,
        Names::Unknown | Names::Conflict => thresholds.same + WITHOUT_A_NAME,
    };
    if best.candidate.score >= needed {
        return match clear_winner(&fuzzy, thresholds.margin) {
            Some(person) => known(person, Tier::Fuzzy),
            None => review("ambiguous_fuzzy", &[&fuzzy]),
        };
    }
    if best.candidate.score >= thresholds.review {
        return review("fuzzy_uncertain", &[&[best]]);
    }
    Identity::New { best_score }
}

/// One entry for each contact: the same person may be found as a contact and as an earlier lead of the batch.
fn people(candidates: &[Candidate], contact_of_peer: impl Fn(usize) -> Option<ContactId>) -> Vec<Person<'_>> {
    let mut people: Vec<Person<'_>> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let contact_id = match candidate.target {
            Target::Contact(contact_id) => contact_id,
            Target::Peer(place) => match contact_of_peer(place) {
                Some(contact_id) => contact_id,
                None => continue,
            },
        };
        match people.iter_mut().find(|person| person.contact_id == contact_id) {
            Some(person) if strength(candidate) > strength(person.candidate) => person.candidate = candidate,
            Some(_) => {}
            None => people.push(Person { contact_id, candidate }),
        }
    }
    people
}

/// Orders two views of one person: the one that more identifiers support, then the higher score.
fn strength(candidate: &Candidate) -> (std::cmp::Reverse<Tier>, usize, i64) {
    (
        std::cmp::Reverse(candidate.tier),
        candidate.by.len(),
        (candidate.score * 1000.0) as i64,
    )
}

fn best_of<'p, 'c>(people: &[&'p Person<'c>]) -> Option<&'p Person<'c>> {
    people.iter().copied().max_by(|left, right| {
        left.candidate
            .score
            .total_cmp(&right.candidate.score)
            .then(right.contact_id.cmp(&left.contact_id))
    })
}

/// The best one, if no other comes closer to it than the margin.
fn clear_winner<'p, 'c>(people: &[&'p Person<'c>], margin: f32) -> Option<&'p Person<'c>> {
    let best = best_of(people)?;
    let rival = people
        .iter()
        .any(|person| !one_person(person, best) && best.candidate.score - person.candidate.score < margin);
    (!rival).then_some(best)
}

/// Whether two are one contact, or two contacts that are one person already.
fn one_person(one: &Person<'_>, other: &Person<'_>) -> bool {
    one.contact_id == other.contact_id || one.candidate.person == other.candidate.person
}

/// The best one, if all are one person.
fn only_person<'p, 'c>(people: &[&'p Person<'c>]) -> Option<&'p Person<'c>> {
    let best = best_of(people)?;
    people.iter().all(|person| one_person(person, best)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(contact: i64, by: &[Tier], names: Names, score: f32) -> Candidate {
        Candidate {
            target: Target::Contact(ContactId(contact)),
            tier: by.iter().min().copied().unwrap_or(Tier::Fuzzy),
            by: by.to_vec(),
            names,
            score,
            person: i32::try_from(contact).unwrap(),
            evidence: crate::domain::Document::default(),
        }
    }

    #[track_caller]
    fn check(candidates: &[Candidate], expected: &str) {
        let named = Normalized {
            keys: crate::domain::MatchKeys {
                last_name: Some("x".into()),
                ..Default::default()
            },
            ..Default::default()
        };
        let found = match identify(&named, candidates, |_| None, &Thresholds::default()) {
            Identity::Known { contact_id, tier, .. } => format!("{contact_id} by {}", tier.name()),
            Identity::New { .. } => "new".into(),
            Identity::Review { reason, .. } => reason.into(),
        };
        assert_eq!(found, expected);
    }

    use Names::{Agree, Conflict, Unknown};
    use Tier::{Email, ExternalId, Phone};

    #[test]
    fn the_strongest_identifier_decides() {
        check(&[], "new");
        check(&[candidate(1, &[ExternalId, Email], Agree, 9.0)], "1 by external_id");
        check(&[candidate(1, &[Email, Phone], Agree, 9.0)], "1 by email");
        check(&[candidate(1, &[Phone], Agree, 9.0)], "1 by phone");
        check(&[candidate(1, &[], Agree, 14.0)], "1 by fuzzy");
    }

    #[test]
    fn tiers_that_disagree_are_never_guessed() {
        check(
            &[candidate(1, &[Email], Agree, 9.0), candidate(2, &[Phone], Agree, 9.0)],
            "tiers_disagree",
        );
        check(
            &[
                candidate(1, &[ExternalId], Agree, 9.0),
                candidate(2, &[Email], Agree, 9.0),
            ],
            "tiers_disagree",
        );
        check(
            &[
                candidate(1, &[ExternalId], Agree, 9.0),
                candidate(2, &[ExternalId], Agree, 9.0),
            ],
            "ambiguous_external_id",
        );
    }

    #[test]
    fn a_number_that_colleagues_share_is_no_evidence_against_the_address() {
        let address = candidate(1, &[Email], Agree, 9.0);
        let colleague = |contact| candidate(contact, &[Phone], Conflict, -5.0);
        check(&[address.clone(), colleague(2), colleague(3)], "1 by email");
        check(&[address, colleague(2)], "tiers_disagree");
        check(&[colleague(2)], "new");
    }

    #[test]
    fn one_mailbox_with_two_names_is_a_question() {
        check(&[candidate(1, &[Email], Conflict, -3.0)], "same_email_other_name");
        check(&[candidate(1, &[Email], Unknown, 2.0)], "1 by email");
    }

    #[test]
    fn between_the_thresholds_and_between_twins_a_person_is_asked() {
        check(&[candidate(1, &[], Agree, 10.0)], "fuzzy_uncertain");
        check(&[candidate(1, &[], Agree, 9.0)], "new");
        // Without a name that fits, more must speak for it.
        check(&[candidate(1, &[], Unknown, 13.5)], "fuzzy_uncertain");
        check(&[candidate(1, &[], Unknown, 14.5)], "1 by fuzzy");
        check(
            &[candidate(1, &[], Agree, 14.0), candidate(2, &[], Agree, 13.0)],
            "ambiguous_fuzzy",
        );
        check(
            &[candidate(1, &[], Agree, 16.0), candidate(2, &[], Agree, 13.0)],
            "1 by fuzzy",
        );
    }

    #[test]
    fn between_contacts_that_are_one_person_already_nobody_is_asked() {
        let twin = |contact, by: &[Tier], score| Candidate {
            person: 1,
            ..candidate(contact, by, Agree, score)
        };
        check(&[twin(1, &[], 14.0), twin(2, &[], 13.0)], "1 by fuzzy");
        check(
            &[twin(1, &[Tier::Email], 13.0), twin(2, &[Tier::Email], 14.0)],
            "2 by email",
        );
        check(
            &[twin(1, &[Tier::Email], 14.0), twin(2, &[Tier::Phone], 13.0)],
            "1 by email",
        );
    }
}
