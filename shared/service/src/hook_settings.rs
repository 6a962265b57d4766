//! The members of those settings of a hook that are objects, as an owner writes them.
//!
//! One list for the API, which refuses every other member, and for whoever checks the file of a hook before it is sent.

/// Of `limit` and of `addressLimit`.
pub const LIMIT: [&str; 2] = ["requests", "seconds"];

/// Of `duplicates`.
pub const DUPLICATES: [&str; 2] = ["windowSeconds", "fields"];

/// Of `reply`.
pub const REPLY: [&str; 5] = ["status", "body", "contentType", "location", "waitSeconds"];

/// Of `uploads`.
pub const UPLOADS: [&str; 1] = ["limitBytes"];

/// Of `guard`.
pub const GUARD: [&str; 8] = [
    "origins",
    "originLock",
    "honeypot",
    "minimumFillSeconds",
    "proofOfWorkBits",
    "turnstileSecret",
    "recaptchaSecret",
    "recaptchaMinimumScore",
];

/// Of `mail`.
pub const MAIL: [&str; 5] = ["bodies", "senders", "policy", "decodeEntities", "attachments"];

/// Of `auth`.
pub const AUTH: [&str; 15] = [
    "scheme",
    "secrets",
    "addSecrets",
    "toleranceSeconds",
    "header",
    "publicKey",
    "publicKeys",
    "url",
    "issuer",
    "audience",
    "jwksUrl",
    "email",
    "subject",
    "verifyToken",
    "topicArns",
];
