//! Who listens to what happens to records.
//!
//! Every write of a record asks this, so all of an org's listeners stand in one partition, which one read gives.

use domain::{Event, OrgId};

use super::{list_all, workflows::Trigger};
use crate::{
    document,
    ports::{Store, Unavailable},
};

const COLLECTION: &str = "record-events";

/// The listeners of an org.
#[derive(Debug, Default)]
pub struct Listeners {
    workflows: Vec<(String, Trigger)>,
}

impl Listeners {
    /// The workflows that listen to `event_name`, enabled or not, oldest first.
    pub fn triggers(&self, event_name: &str) -> Vec<Trigger> {
        let listening = self.workflows.iter().filter(|(name, _)| name == event_name);
        listening.map(|(_, trigger)| trigger.clone()).collect()
    }
}

/// Everybody who listens to a change of records of `org`.
pub async fn listeners_of_records(store: &dyn Store, org: OrgId) -> Result<Listeners, Unavailable> {
    let items = list_all(store, org, COLLECTION).await?;
    let mut listeners = Listeners::default();
    for item in &items {
        let event_name = item.key.sort.split('#').next().unwrap_or_default();
        listeners.workflows.push((event_name.to_owned(), document::read(item)?));
    }
    Ok(listeners)
}

/// The collection of those who listen to `event_name`, and what their sort keys begin with.
pub(super) fn place(event_name: &str) -> (String, String) {
    if Event::is_of_record(event_name) {
        (COLLECTION.to_owned(), format!("{event_name}#"))
    } else {
        (format!("event#{event_name}"), String::new())
    }
}
