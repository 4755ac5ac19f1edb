//! Temporary.
use crate::cli::DemoOptions;
/// x
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// x
    #[error("x")]
    X,
}
/// x
pub async fn demo(_: DemoOptions) -> Result<(), DemoError> {
    Err(DemoError::X)
}
