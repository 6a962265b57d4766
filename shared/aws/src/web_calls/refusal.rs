//! What is told of a call that must not be made, or whose answer cannot be given. No sentence names an address.

use domain::Failure;
use service::ports::{ANSWER_LIMIT_BYTES, NotCalled, REDIRECTS_LIMIT};

use crate::web::Refused;

/// Who can allow a destination, and how.
const ALLOWING: &str = "Whoever runs Hookwright can allow it (docs/rest.md).";

/// The call itself leads where it must not.
pub(super) fn of_destination(refused: Refused) -> NotCalled {
    failed("rest_destination_refused", format!("This address is not called: {}", clause(refused)), None)
}

/// A redirect does.
pub(super) fn of_redirect(refused: Refused) -> NotCalled {
    let message = format!("The service answered with a redirect, which is not followed: {}", clause(refused));
    failed("rest_redirect_refused", message, None)
}

/// A redirect would tell another origin a secret.
pub(super) fn of_secret_body(status: u16) -> NotCalled {
    let message = "The service answered with a redirect to another origin, which would get the body and the variable's value in it. \
                   Call that address itself if it may have them.";
    failed("rest_redirect_refused", message.to_owned(), Some(status))
}

/// There are more redirects than are followed.
pub(super) fn too_many_redirects() -> NotCalled {
    let message = format!(
        "The service answered with more than {REDIRECTS_LIMIT} redirects, one after the other. Call the address where they end."
    );
    failed("rest_too_many_redirects", message, None)
}

/// The answer is too large.
pub(super) fn too_large(status: u16) -> NotCalled {
    let message = format!(
        "The answer has more than {ANSWER_LIMIT_BYTES} bytes and was not read to its end. Ask the service for less at a time."
    );
    failed("rest_answer_too_large", message, Some(status))
}

/// The answer is compressed.
pub(super) fn compressed(status: u16) -> NotCalled {
    let message = "The answer is compressed, though it was asked for as it is (accept-encoding: identity), and is not unpacked. \
                   Ask the service for an answer without compression.";
    failed("rest_answer_compressed", message.to_owned(), Some(status))
}

fn failed(code: &str, message: String, status: Option<u16>) -> NotCalled {
    NotCalled::Refused(Failure { status, ..Failure::new(code, message) })
}

/// Why an address is not called, from `it is …` on.
pub(crate) fn clause(refused: Refused) -> String {
    match refused {
        Refused::Malformed => {
            "it is not written as https://host/path should be, or has more than 8192 bytes. A host of other letters is written in its xn-- form."
                .to_owned()
        }
        Refused::Scheme => "it does not begin with https://, or with http:// where that may be used.".to_owned(),
        Refused::UserInfo => {
            "it holds a user name. Put user name and password into the header Authorization, as Basic and their base64.".to_owned()
        }
        Refused::Port => format!("it names another port than 443 for https and 80 for http. {ALLOWING}"),
        Refused::Host => format!("its host is no name of the public web. {ALLOWING}"),
        Refused::Address => format!("its host is not a public address. {ALLOWING}"),
        Refused::NameToAddress => format!("its host's name stands for an address that is not public. {ALLOWING}"),
    }
}
