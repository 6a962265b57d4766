//! A web for tests: names that lead where a test says, and one listener behind every address.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;

/// Names that lead where a test says, how often each was asked for, and which addresses were connected to.
#[derive(Debug, Default)]
pub(crate) struct GivenNames {
    /// What each question is answered with; the last answer is given for ever.
    known: Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>,
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) connected: Mutex<Vec<SocketAddr>>,
    /// Who takes every connection, whatever its address; without one connections go where they are meant to.
    listener: Option<SocketAddr>,
}

impl GivenNames {
    pub(crate) fn of(names: &[(&str, &[&str])]) -> Arc<Self> {
        let names = names.iter().map(|(name, addresses)| (*name, vec![addresses.to_vec()]));
        Arc::new(Self { known: Mutex::new(known(names)), ..Self::default() })
    }

    /// Names before `listener`.
    pub(crate) fn before(listener: SocketAddr, names: &[(&str, Vec<Vec<&str>>)]) -> Arc<Self> {
        let names = names.iter().map(|(name, answers)| (*name, answers.clone()));
        Arc::new(Self { known: Mutex::new(known(names)), listener: Some(listener), ..Self::default() })
    }

    pub(super) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut known = self.known.lock().unwrap();
        let answers = known.get_mut(name);
        let answer =
            answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
        answer.unwrap_or_default()
    }

    pub(super) async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.connected.lock().unwrap().push(address);
        TcpStream::connect(self.listener.unwrap_or(address)).await
    }
}

fn known<'a>(names: impl Iterator<Item = (&'a str, Vec<Vec<&'a str>>)>) -> BTreeMap<String, VecDeque<Vec<IpAddr>>> {
    let addresses = |texts: Vec<&str>| texts.into_iter().map(|text| text.parse().unwrap()).collect();
    names.map(|(name, answers)| (name.to_owned(), answers.into_iter().map(addresses).collect())).collect()
}
