//! The one question that decides what a loop does about an error, and the one type that answers it.
//!
//! Every room has its own error type; each of them implements [`Classify`]. Loops look at nothing else.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

/// What a loop should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The other side, or our own budget, says not now. Wait at least this long; nobody is charged an attempt.
    Throttled(Duration),
    /// It did not happen and will probably work later (connection lost, 5xx on a read). Back off with jitter.
    Transient,
    /// This very row is refused and will be refused again unchanged. It becomes a dead letter; the others go on.
    Rejected,
    /// It may or may not have happened (an answer lost after a write was sent). Read before sending again.
    Unknown,
    /// Nothing will work until a person acts (wrong token, missing scope, missing table). Stop, say what to do.
    Broken,
}

/// Says which [`Fault`] an error is.
pub trait Classify {
    /// The class of this error; total, and the same every time for the same value.
    fn fault(&self) -> Fault;
}

/// The whole chain of an error, outermost first, joined with `: `, for the one place where it is printed.
///
/// A layer whose text already ends with its source's text is not repeated.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.ends_with(&words) {
            let _ = write!(text, ": {words}");
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the gate")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the key is bent")]
    struct Inner;

    #[test]
    fn the_chain_names_every_layer_once() {
        assert_eq!(chain(&Outer(Inner)), "cannot open the gate: the key is bent");
    }
}
