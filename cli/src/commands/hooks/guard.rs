//! What guards the public door of a form hook: the flags that make its `guard` and its `uploads`.
//!
//! A guard is replaced as a whole, so a change is made from what the API shows; its secrets are not shown, and stay
//! where they are not named.

use serde_json::{Map, Value, json};

use super::settings::{put, put_list};
use crate::failure::Failure;

/// What the API shows in the place of the secrets; it does not take these back.
const SHOWN_ONLY: [&str; 2] = ["hasTurnstileSecret", "hasRecaptchaSecret"];

/// The flags that make a form hook's `guard` and `uploads`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What guards a form")]
pub(super) struct GuardArgs {
    #[arg(
        long = "origin",
        value_name = "ORIGIN",
        help = "A site whose pages may post from a browser, such as https://shop.example; may be repeated"
    )]
    origins: Vec<String>,
    /// Refuse whatever comes from no such site
    #[arg(long)]
    origin_lock: bool,
    /// A field that people do not see; what fills it is refused
    #[arg(long, value_name = "FIELD")]
    honeypot: Option<String>,
    /// How long people need at least to fill the form
    #[arg(long, value_name = "SECONDS")]
    min_fill_seconds: Option<u32>,
    /// How much work a browser has to prove, in leading zero bits
    #[arg(long, value_name = "BITS")]
    pow_bits: Option<u8>,
    /// The secret of a Cloudflare Turnstile widget
    #[arg(long, value_name = "TEXT")]
    turnstile_secret: Option<String>,
    /// The secret of a reCAPTCHA site
    #[arg(long, value_name = "TEXT")]
    recaptcha_secret: Option<String>,
    /// The lowest score that reCAPTCHA may give, 0 to 1
    #[arg(long, value_name = "SCORE", value_parser = score)]
    recaptcha_min_score: Option<f64>,
    /// How many bytes a file may have that goes past the limit of a body
    #[arg(long, value_name = "BYTES")]
    uploads: Option<u64>,
}

/// The guards that are put away.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is taken back")]
pub(super) struct GuardTakenBack {
    /// Guard the form with nothing
    #[arg(long)]
    no_guard: bool,
    /// Allow no site in particular
    #[arg(long, conflicts_with = "origins")]
    no_origin: bool,
    /// Take posts from other sites too
    #[arg(long, conflicts_with = "origin_lock")]
    no_origin_lock: bool,
    /// Have no hidden field
    #[arg(long, conflicts_with = "honeypot")]
    no_honeypot: bool,
    /// Take the form however fast it was filled
    #[arg(long, conflicts_with = "min_fill_seconds")]
    no_min_fill_seconds: bool,
    /// Ask for no proof of work
    #[arg(long, conflicts_with = "pow_bits")]
    no_pow_bits: bool,
    /// Ask Turnstile no more, and forget its secret
    #[arg(long, conflicts_with = "turnstile_secret")]
    no_turnstile: bool,
    /// Ask reCAPTCHA no more, and forget its secret
    #[arg(long, conflicts_with_all = ["recaptcha_secret", "recaptcha_min_score"])]
    no_recaptcha: bool,
    /// Take no files past the limit of a body
    #[arg(long, conflicts_with = "uploads")]
    no_uploads: bool,
}

impl GuardArgs {
    /// Adds the guard of a new hook to the document, if one was named.
    pub(super) fn write(self, document: &mut Map<String, Value>) {
        self.write_uploads(document);
        let guard = self.into_document();
        if !guard.is_empty() {
            document.insert("guard".to_owned(), Value::Object(guard));
        }
    }

    /// Adds to the document the guard that a hook is to have instead of `shown`, if anything is to change.
    ///
    /// *Errors*: what is shown cannot be had.
    pub(super) fn write_change(
        self,
        taken_back: &GuardTakenBack,
        shown: impl FnOnce() -> Result<Value, Failure>,
        document: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        if taken_back.no_uploads {
            document.insert("uploads".to_owned(), Value::Null);
        }
        self.write_uploads(document);
        let named = self.into_document();
        let gone = taken_back.members();
        if taken_back.no_guard && named.is_empty() {
            document.insert("guard".to_owned(), Value::Null);
        } else if !(named.is_empty() && gone.is_empty()) {
            let mut guard = if taken_back.no_guard { forgotten() } else { members_of(&shown()?) };
            guard.retain(|name, _| !gone.contains(&name.as_str()));
            guard.extend(gone.iter().filter(|name| is_secret(name)).map(|name| ((*name).to_owned(), Value::Null)));
            guard.extend(named);
            document.insert("guard".to_owned(), Value::Object(guard));
        }
        Ok(())
    }

    fn write_uploads(&self, document: &mut Map<String, Value>) {
        document.extend(self.uploads.map(|bytes| ("uploads".to_owned(), json!({ "limitBytes": bytes }))));
    }

    fn into_document(self) -> Map<String, Value> {
        let mut guard = Map::new();
        put_list(&mut guard, "origins", self.origins);
        if self.origin_lock {
            guard.insert("originLock".to_owned(), json!(true));
        }
        put(&mut guard, "honeypot", self.honeypot);
        guard.extend(self.min_fill_seconds.map(|seconds| ("minimumFillSeconds".to_owned(), json!(seconds))));
        guard.extend(self.pow_bits.map(|bits| ("proofOfWorkBits".to_owned(), json!(bits))));
        put(&mut guard, "turnstileSecret", self.turnstile_secret);
        put(&mut guard, "recaptchaSecret", self.recaptcha_secret);
        guard.extend(self.recaptcha_min_score.map(|score| ("recaptchaMinimumScore".to_owned(), json!(score))));
        guard
    }
}

impl GuardTakenBack {
    fn members(&self) -> Vec<&'static str> {
        let rows = [
            (self.no_origin, "origins"),
            (self.no_origin_lock, "originLock"),
            (self.no_honeypot, "honeypot"),
            (self.no_min_fill_seconds, "minimumFillSeconds"),
            (self.no_pow_bits, "proofOfWorkBits"),
            (self.no_turnstile, "turnstileSecret"),
            (self.no_recaptcha, "recaptchaSecret"),
            (self.no_recaptcha, "recaptchaMinimumScore"),
        ];
        rows.into_iter().filter(|(is_gone, _)| *is_gone).map(|(_, name)| name).collect()
    }
}

/// A guard without anything, not even the secrets that the server would keep.
fn forgotten() -> Map<String, Value> {
    Map::from_iter([("turnstileSecret".to_owned(), Value::Null), ("recaptchaSecret".to_owned(), Value::Null)])
}

fn members_of(shown: &Value) -> Map<String, Value> {
    let mut guard = shown.as_object().cloned().unwrap_or_default();
    guard.retain(|name, _| !SHOWN_ONLY.contains(&name.as_str()));
    guard
}

fn is_secret(name: &str) -> bool {
    matches!(name, "turnstileSecret" | "recaptchaSecret")
}

fn score(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        Ok(_) | Err(_) => Err("a score is a number from 0 to 1".to_owned()),
    }
}
