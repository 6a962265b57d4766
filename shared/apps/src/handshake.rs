//! What a provider asks of an address to see that it belongs to somebody who expects its events.

use serde::Deserialize;
use serde_json::Value;

/// The question, and where in it the parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// A GET with a token the owner chose; the challenge is answered as plain text (Meta).
    QueryToken {
        /// The query parameter to give back.
        challenge: String,
        /// The query parameter that has to equal the hook's token.
        token: String,
        /// A query parameter and its value, by which the question is told from other requests.
        mode: (String, String),
    },
    /// A GET with a code; the answer is JSON with the code and its HMAC under the hook's secret (LinkedIn).
    QueryHmac {
        /// The query parameter and the member of the answer that hold the code.
        challenge: String,
        /// The member of the answer that holds the HMAC.
        response: String,
    },
    /// A signed body, part of which is given back as plain text (Slack); see [`App::echo`](crate::App::echo).
    BodyEcho,
    /// A signed request to confirm a subscription at an address of Amazon SNS.
    Sns,
}

/// A handshake as `app.json` has it.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum HandshakeDocument {
    QueryToken { challenge: String, token: String, mode: (String, String) },
    QueryHmac { challenge: String, response: String },
    BodyEcho { when: Value, echo: Value },
    Sns,
}
