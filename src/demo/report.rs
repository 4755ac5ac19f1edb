//! Report.
use super::*;
pub(super) fn contacts(crm: &Running) -> u64 {
    crm.sandbox().contacts().len() as u64
}
pub(super) async fn show(_: &Store, _: &Running, _: u64, _: u64) -> Result<(), DemoError> {
    Ok(())
}
pub(super) async fn stories(g: &Gatekeeper, stop: &CancellationToken) -> Result<(), DemoError> {
    for lead in ["sales:00Q9001", "webinar:W9002", "sales:00Q9003"] {
        println!("\n$ {}\n", g.line(&format!("explain {lead}")));
        g.show(&["explain", lead], stop).await?;
    }
    Ok(())
}
