//! A new secret for a webhook, while senders still use the old one.
//!
//! Where both sides may choose it, one is made here; a provider's own comes from the provider.

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::ArgGroup;
use serde_json::{Map, Value, json};

use super::{MAIL_KIND, SIGNED_KIND, SignedHookArg, auth::SecretArgs, view};
use crate::{
    client::Address,
    failure::Failure,
    machine::random,
    output::Page,
    session::Session,
    signing::{self, BEARER},
};

/// As many as the hash has (RFC 2104, 3).
const SECRET_BYTES: usize = 32;

/// The flags of `hookwright hooks rotate-secret`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("old").args(["keep_old", "drop_old"]))]
pub(super) struct Args {
    #[command(flatten)]
    hook: SignedHookArg,
    #[command(flatten)]
    secrets: SecretArgs,
    /// Let the old secrets match as well; this is so without the flag too
    #[arg(long)]
    keep_old: bool,
    /// Let the old secrets match no more
    #[arg(long)]
    drop_old: bool,
}

/// Carries the command out.
pub(super) fn run(args: Args, session: &Session) -> Result<(), Failure> {
    check_kind(&args.hook)?;
    let address = Address::of(&["hooks", &args.hook.kind, &args.hook.id]);
    let given = args.secrets.read()?;
    let made = if given.is_empty() { Some(made_for(&session.client.get(&address)?)?) } else { None };
    let secrets = made.iter().cloned().chain(given).collect::<Vec<_>>();
    let auth = Map::from_iter([(if args.drop_old { "secrets" } else { "addSecrets" }.to_owned(), json!(secrets))]);
    let answer = session.client.put(&address, json!({ "auth": auth }).to_string().into_bytes())?;
    match made {
        None => session.show(&answer, view::one),
        Some(secret) => session.show(&with_secret(answer, &secret), |hook| {
            let mut page = Page::default();
            page.fields(&[("secret", secret.clone())]);
            page.line("Keep the secret; it cannot be shown again.");
            page.line("");
            page.append(view::one(hook));
            page
        }),
    }
}

/// *Errors*: hooks of that kind have no secrets.
fn check_kind(hook: &SignedHookArg) -> Result<(), Failure> {
    match hook.kind.as_str() {
        SIGNED_KIND => Ok(()),
        MAIL_KIND => Err(Failure::Usage(format!(
            "An email hook has a key instead of secrets: `hookwright hooks update {} --kind {MAIL_KIND} --generate-key` makes another.",
            hook.id
        ))),
        kind => Err(Failure::Usage(format!("A {kind} hook has no secrets: anyone may post to it."))),
    }
}

/// *Why in `meta`*: programs get the API's document as it came, and the secret is not of it.
fn with_secret(mut answer: Value, secret: &str) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("meta".to_owned(), json!({ "secret": secret }));
    }
    answer
}

/// A secret for the hook, where its scheme leaves that to the receiver.
fn made_for(hook: &Value) -> Result<String, Failure> {
    let bytes: [u8; SECRET_BYTES] = random()?;
    match signing::scheme_word(hook.pointer("/data/attributes/auth").unwrap_or(&Value::Null)) {
        "standard-webhooks" => Ok(format!("whsec_{}", STANDARD.encode(bytes))),
        "header" | "github" | "cal" => Ok(hex(&bytes)),
        BEARER => {
            Err(Failure::Usage("The hook takes API keys instead of secrets: `hookwright keys rotate`.".to_owned()))
        }
        scheme => {
            Err(Failure::Usage(format!("A secret of {scheme} comes from the sender: pass it with --secret-file.")))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
