//! Why an arrival was not believed; the sentences are for the hook's owner, and a sender is never shown them.

use http::HeaderName;

/// Why a signature or a credential was refused.
///
/// A wrong secret and a changed body look the same from here ([`Refusal::WrongSignature`]); [`crate::diagnose()`] tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header did not come.
    #[error("The header {header} is missing.")]
    Missing {
        /// In lower case.
        header: String,
    },
    /// The header came more than once, and nobody can say which one counts.
    #[error("The header {header} came more than once.")]
    Ambiguous {
        /// In lower case.
        header: String,
    },
    /// The header is not written as this scheme writes it.
    #[error("The header {header} cannot be read: {what}.")]
    Malformed {
        /// In lower case.
        header: String,
        /// The rest of the sentence, without anything that came.
        what: &'static str,
    },
    /// The signed body is not what this scheme sends.
    #[error("The body cannot be checked: {what}.")]
    MalformedBody {
        /// The rest of the sentence, without anything that came.
        what: &'static str,
    },
    /// More than [`crate::SIGNATURES_LIMIT`] signatures in one header.
    #[error("More than 10 signatures came in one header.")]
    TooManySignatures,
    /// The arrival is signed in a way this hook has no secret or key for.
    #[error("The hook has no secret or key for the kind of signature that came.")]
    NoSecret,
    /// No secret or key of this hook made this signature of these bytes.
    #[error("The signature fits none of the hook's secrets or keys.")]
    WrongSignature,
    /// Rightly signed, but too long ago.
    #[error("The signature is right, but it was made {by_seconds} s ago.")]
    TooOld {
        /// Its age, in seconds.
        by_seconds: i64,
    },
    /// Rightly signed, but in the future.
    #[error("The signature is right, but it claims to be made {by_seconds} s from now.")]
    TooNew {
        /// How far ahead of this clock, in seconds.
        by_seconds: i64,
    },
    /// Neither of the hook's passwords or shared secrets.
    #[error("The credentials are none of the hook's secrets.")]
    WrongCredentials,
    /// The token is rightly signed, but says something else than the hook expects.
    #[error("The token's claim {claim} is not the one that the hook expects.")]
    WrongClaim {
        /// Its name, for example `aud`.
        claim: &'static str,
    },
    /// The token names an algorithm that this hook does not take, `none` among them.
    #[error("The token is signed with an algorithm that the hook does not accept.")]
    WrongAlgorithm,
    /// No key of that name is known; the issuer's keys may have to be fetched again.
    #[error("The token is signed with a key that the issuer does not publish.")]
    UnknownKey,
    /// The token has expired.
    #[error("The token expired {by_seconds} s ago.")]
    Expired {
        /// In seconds.
        by_seconds: i64,
    },
    /// The certificate's address is not one of Amazon SNS.
    #[error("The address of the signing certificate is not one of Amazon SNS.")]
    UntrustedCertificateUrl,
    /// The certificate cannot be read, or is not valid today.
    #[error("The signing certificate cannot be read or is not valid now.")]
    BadCertificate,
    /// The issuer's key set cannot be read or has no key for signatures.
    #[error("The issuer's key set cannot be read or holds no usable key.")]
    BadKeySet,
    /// A message of a topic that the hook does not listen to.
    #[error("The message is of a topic that the hook does not name.")]
    UnknownTopic,
    /// Raw delivery of Amazon SNS carries no signature.
    #[error("Amazon SNS sent the message with raw delivery, which has no signature.")]
    RawDelivery,
    /// The signature that came covers the address, but not the body.
    #[error("The signature does not cover the body.")]
    BodyNotSigned,
    /// The URL to confirm a subscription is not one of Amazon SNS.
    #[error("The address to confirm the subscription is not one of Amazon SNS.")]
    UntrustedSubscribeUrl,
}

impl Refusal {
    /// Which check said no, in one word: `header`, `body`, `signature`, `timestamp`, `credentials`, `claims`, `algorithm`, `key`,
    /// `certificate`, `topic` or `url`.
    pub fn check(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Ambiguous { .. } | Self::Malformed { .. } => "header",
            Self::MalformedBody { .. } => "body",
            Self::TooManySignatures | Self::WrongSignature | Self::RawDelivery | Self::BodyNotSigned => "signature",
            Self::TooOld { .. } | Self::TooNew { .. } => "timestamp",
            Self::WrongCredentials => "credentials",
            Self::WrongClaim { .. } | Self::Expired { .. } => "claims",
            Self::WrongAlgorithm => "algorithm",
            Self::NoSecret | Self::UnknownKey | Self::BadKeySet => "key",
            Self::UntrustedCertificateUrl | Self::BadCertificate => "certificate",
            Self::UnknownTopic => "topic",
            Self::UntrustedSubscribeUrl => "url",
        }
    }

    pub(crate) fn malformed(header: &HeaderName, what: &'static str) -> Self {
        Self::Malformed { header: header.as_str().to_owned(), what }
    }
}
