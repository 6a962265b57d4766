//! Who may post to a hook: the flags that make its `auth`, and secrets from files.
//!
//! Secrets go one way. The API shows only how many there are, so what is not typed again is left to the server to keep.

use serde_json::{Map, Value, json};

use super::settings::{put, put_list};
use crate::{failure::Failure, source};

/// The flags that make a hook's `auth`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Who may post")]
pub(super) struct AuthArgs {
    /// bearer, basic, header, jwt, none, standard-webhooks, or a provider's signature: `hookwright apps ls` [default: bearer]
    #[arg(long = "auth", value_name = "SCHEME")]
    scheme: Option<String>,
    #[command(flatten)]
    secrets: SecretArgs,
    /// How far the sender's clock may be off, where its signature has a time
    #[arg(long, value_name = "SECONDS")]
    tolerance_seconds: Option<u32>,
    /// The header that carries the secret, with --auth header
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// A file with a public key of the sender; may be repeated
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<String>,
    /// The hook's address as the sender knows it, where that is another and is signed (Twilio)
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Who has to have issued the token, with --auth jwt
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Whom the token has to be for, with --auth jwt
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// Where the issuer's public keys are, with --auth jwt
    #[arg(long, value_name = "URL")]
    jwks_url: Option<String>,
    /// The e-mail address that the token has to name, with --auth jwt
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The subject that the token has to name, with --auth jwt
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// What the provider has to say in its handshake (Meta)
    #[arg(long, value_name = "TEXT")]
    verify_token: Option<String>,
    /// A topic that may send, with --auth sns; may be repeated
    #[arg(long = "topic-arn", value_name = "ARN")]
    topic_arns: Vec<String>,
}

/// Secrets, typed or in files.
#[derive(Debug, clap::Args)]
pub(super) struct SecretArgs {
    /// A secret that the sender shares; NAME:PASSWORD with --auth basic; may be repeated, any may match
    #[arg(long = "secret", value_name = "TEXT")]
    secrets: Vec<String>,
    /// A file with such a secret, or - for standard input; a line break at its end is no part of it
    #[arg(long = "secret-file", value_name = "FILE")]
    secret_files: Vec<String>,
}

impl SecretArgs {
    /// The secrets, those that were typed first.
    ///
    /// *Errors*: a file cannot be read, or a secret is empty.
    pub(super) fn read(self) -> Result<Vec<String>, Failure> {
        let mut secrets = self.secrets;
        for file in &self.secret_files {
            secrets.push(source::read_secret(file)?);
        }
        if secrets.iter().any(String::is_empty) {
            return Err(Failure::Usage("A secret is empty.".to_owned()));
        }
        Ok(secrets)
    }
}

impl AuthArgs {
    /// The `auth` of a new hook; `None` for the server's default.
    ///
    /// *Errors*: a file cannot be read, or there are settings without a scheme.
    pub(super) fn into_draft(self) -> Result<Option<Value>, Failure> {
        let has_scheme = self.scheme.is_some();
        let auth = self.into_document()?;
        match (auth.is_empty(), has_scheme) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(Value::Object(auth))),
            (false, false) => {
                Err(Failure::Usage("Say with --auth which scheme the secrets and settings are for.".to_owned()))
            }
        }
    }

    /// What of `auth` is to change; `None` if no flag was given. The server keeps what is not named, unless the scheme is
    /// another: that begins with nothing.
    ///
    /// *Errors*: a file cannot be read.
    pub(super) fn into_change(self) -> Result<Option<Value>, Failure> {
        let auth = self.into_document()?;
        Ok((!auth.is_empty()).then_some(Value::Object(auth)))
    }

    fn into_document(self) -> Result<Map<String, Value>, Failure> {
        let keys = self.public_keys.iter().map(|file| source::read_text(file)).collect::<Result<Vec<_>, _>>()?;
        let mut auth = Map::new();
        put(&mut auth, "scheme", self.scheme);
        put_list(&mut auth, "secrets", self.secrets.read()?);
        auth.extend(self.tolerance_seconds.map(|seconds| ("toleranceSeconds".to_owned(), json!(seconds))));
        put(&mut auth, "header", self.header);
        put_list(&mut auth, "publicKeys", keys);
        put(&mut auth, "url", self.public_url);
        put(&mut auth, "issuer", self.issuer);
        put(&mut auth, "audience", self.audience);
        put(&mut auth, "jwksUrl", self.jwks_url);
        put(&mut auth, "email", self.email);
        put(&mut auth, "subject", self.subject);
        put(&mut auth, "verifyToken", self.verify_token);
        put_list(&mut auth, "topicArns", self.topic_arns);
        Ok(auth)
    }
}
