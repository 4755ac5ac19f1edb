//! What a naive client gets wrong about HubSpot, each fact by its name and by its number in the list of facts.

mod calls;
mod reading;
mod writing;

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatekeeper::crm::{ChangedPage, Reader, Window};
use gatekeeper::domain::CrmId;

use super::account::Account;
use super::{canonical, search_permit};

/// All of a window, page by page; panics when a page repeats or goes back.
async fn all_changed(account: &Account, window: Window) -> Vec<String> {
    let mut after: Option<CrmId> = None;
    let mut all = Vec::new();
    loop {
        let page = changed(account, window, after.as_ref()).await;
        all.extend(page.records.into_iter().map(|record| record.crm_id));
        match page.next_after_id {
            None => return all,
            next => after = next,
        }
    }
}

async fn changed(account: &Account, window: Window, after: Option<&CrmId>) -> ChangedPage {
    account
        .hubspot
        .changed(search_permit(), &canonical(), window, after)
        .await
        .result
        .expect("a page")
}

fn ever() -> Window {
    Window {
        lo: DateTime::UNIX_EPOCH,
        hi: Utc::now() + Duration::from_secs(60),
    }
}
