//! Names for tests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Names that lead where a test says, and how often each was asked for.
#[derive(Debug, Default)]
pub(crate) struct GivenNames {
    known: BTreeMap<String, Vec<IpAddr>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl GivenNames {
    pub(crate) fn of(names: &[(&str, &[&str])]) -> Arc<Self> {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let known = names.iter().map(|(name, texts)| ((*name).to_owned(), addresses(texts))).collect();
        Arc::new(Self { known, asked: Mutex::default() })
    }

    pub(super) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        self.asked.lock().unwrap().push(name.to_owned());
        self.known.get(name).cloned().unwrap_or_default()
    }
}
