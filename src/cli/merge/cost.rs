//! What merges cost: calls to the CRM, and the time that its limits make of them.

use std::time::Duration;

use indicatif::HumanDuration;

use crate::config::Config;

/// Rows that one batch call takes.
const BATCH: u64 = 100;

/// What is to be merged.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) groups: u64,
    pub(super) contacts: u64,
    pub(super) merges: u64,
    pub(super) writes: u64,
}

impl Cost {
    /// Each contact is read before, two are merged in a call, values are written, and each survivor is read back.
    pub(super) fn calls(self) -> u64 {
        self.contacts.div_ceil(BATCH) + self.merges + self.writes.div_ceil(BATCH) + self.groups.div_ceil(BATCH)
    }

    /// How long that takes where nobody else calls.
    pub(super) fn time(self, config: &Config) -> String {
        let limits = &config.limits;
        if limits.general_calls == 0 {
            return "as fast as the CRM answers".to_owned();
        }
        let seconds = self.calls() * limits.general_window_seconds / u64::from(limits.general_calls);
        HumanDuration(Duration::from_secs(seconds)).to_string()
    }
}
