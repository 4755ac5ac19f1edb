//! A governor without limits, for a CRM that has none: the sandbox started without limits, and tests of a connector.

use super::{Bucket, Permit, Priority};

/// Gives a permit to whoever asks, at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Unlimited {
    /// A permit, without waiting and without counting.
    pub fn permit(self, bucket: Bucket, priority: Priority) -> Permit {
        Permit::new(bucket, priority)
    }
}
