//! Keep.
use super::*;
pub(super) async fn keep(
    _: &Gatekeeper,
    _: &Place,
    _: &Store,
    _: &Running,
    _: &CancellationToken,
) -> Result<(), DemoError> {
    Ok(())
}
pub(super) fn farewell(_: &Gatekeeper, _: &Store) {}
