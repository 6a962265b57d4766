//! A web of services that answer what they were told to.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::Failure;

use crate::ports::{CallAnswer, Calls, Destinations, NotCalled, OutgoingCall, Unavailable};

/// Services by address. Each gives its answers in order and then the last one for ever; what is not there cannot be reached.
///
/// Which addresses a call may reach is a rule of the web, and there is none here.
#[derive(Debug, Default)]
pub struct MemoryCalls {
    services: Mutex<HashMap<String, VecDeque<Result<CallAnswer, NotCalled>>>>,
    made: Mutex<Vec<OutgoingCall>>,
}

impl MemoryCalls {
    /// Has `url` answer `status` with these headers and this body from here on, behind what it was told before.
    pub fn answer(&self, url: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.script(url, Ok(CallAnswer { status, headers, body: body.to_owned().into() }));
    }

    /// Has a call of `url` end so.
    pub fn script(&self, url: &str, ending: Result<CallAnswer, NotCalled>) {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.entry(url.to_owned()).or_default().push_back(ending);
    }

    /// Every call that reached its service, in order, repeats too.
    pub fn made(&self) -> Vec<OutgoingCall> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self, url: &str) -> Result<CallAnswer, NotCalled> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let script = services.get_mut(url).and_then(|script| match script.len() {
            0 | 1 => script.front().cloned(),
            _ => script.pop_front(),
        });
        let unknown = || Unavailable { port: "calls", cause: "there is no such service".to_owned() };
        script.unwrap_or_else(|| Err(NotCalled::NotSent(unknown())))
    }
}

#[async_trait]
impl Calls for MemoryCalls {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        let ending = self.next(&call.url);
        match &ending {
            Err(NotCalled::NotSent(_) | NotCalled::Refused(_)) => {}
            Ok(_) | Err(NotCalled::TimedOut(_) | NotCalled::Broken(_)) => {
                self.made.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
            }
        }
        ending
    }
}

/// All of this web is public.
impl Destinations for MemoryCalls {
    fn judge(&self, url: &str) -> Result<(), Failure> {
        match url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) {
            true => Ok(()),
            false => {
                Err(Failure::new("destination_refused", "This address is not called: it does not begin with https://."))
            }
        }
    }
}
