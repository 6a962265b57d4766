//! Where outbound webhooks may lead: the public web over `https`, and what the operator allows beside it.

use domain::Failure;
use service::ports::{Destinations, Web};

use crate::web::{Destination, Place, Reach, Refused};
use crate::web_calls::clause;

/// Judges addresses by their text, as the calls do before they look a name up.
pub struct WebDestinations {
    reach: Reach,
}

impl WebDestinations {
    /// Takes public names and addresses over `https` at port 443, and what is `allowed` beside them, over `http` too.
    pub fn new(allowed: Vec<Destination>) -> Self {
        Self { reach: Reach::new(Web::Https, allowed) }
    }
}

impl Destinations for WebDestinations {
    fn judge(&self, url: &str) -> Result<(), Failure> {
        let Err(refused) = Place::parse(url, &self.reach) else { return Ok(()) };
        let why = match refused {
            Refused::Scheme => "it does not begin with https://. What it is sent would be read on the way. Whoever runs Hookwright can allow a \
                 destination without (docs/rest.md).".to_owned(),
            Refused::UserInfo => {
                "it holds a user name. The endpoint knows by the signature who calls (docs/outbound-webhooks.md)."
                    .to_owned()
            }
            Refused::Malformed | Refused::Port | Refused::Host | Refused::Address | Refused::NameToAddress => {
                clause(refused)
            }
        };
        Err(Failure::new("destination_refused", format!("This address is not called: {why}")))
    }
}
