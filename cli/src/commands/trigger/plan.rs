//! Where samples come from and who signs them: the server, or this machine.

use apps::samples::Sample;
use serde_json::{Map, Value, json};

use super::{Args, key::ShortKey, sample};
use crate::{
    client::{Address, Client},
    config::{self, Global},
    failure::{Failure, Refusal},
    machine::{now, random},
    outgoing::Outgoing,
    session::Session,
    signing::{self, BEARER, Signer},
};

/// What is printed in the place of an API key.
pub(super) const MASKED_KEY: &str = "$HOOKWRIGHT_HOOK_KEY";

/// What is printed in the place of a shared secret.
pub(super) const MASKED_CREDENTIALS: &str = "$CREDENTIALS";

/// How each sample is made.
pub(super) struct Plan {
    hook: Option<HookNames>,
    auth: Value,
    way: Way,
    /// A key that was made, and the server that has to delete it.
    made: Option<(Client, ShortKey)>,
}

/// The id and kind of the hook.
struct HookNames {
    id: String,
    kind: String,
}

enum Way {
    /// The server gives the request, signed.
    Server(Box<Request>),
    /// It is made and signed here.
    Here { sample: Box<Sample>, url: String, signer: Signer },
}

/// What the server is asked for.
struct Request {
    client: Client,
    address: Address,
    document: Vec<u8>,
    scheme: String,
}

impl Plan {
    /// The plan that the flags make. A key is made where the hook wants one, none was given and it is sent.
    ///
    /// *Errors*: there is no such event or path, no such hook, or nothing to sign with.
    pub(super) fn of(args: &Args, global: &Global) -> Result<Self, Failure> {
        let event = args.event.as_deref().unwrap_or_default();
        match (&args.to, &args.hook) {
            (Some(url), _) => Self::offline(args, event, url),
            (None, Some(id)) => Self::for_hook(args, event, id, global),
            (None, None) => Err(Failure::Usage("Name a hook with --hook, or an address with --to.".to_owned())),
        }
    }

    /// The hook's id and kind, where it goes to a hook.
    pub(super) fn hook(&self) -> Option<(&str, &str)> {
        self.hook.as_ref().map(|hook| (hook.id.as_str(), hook.kind.as_str()))
    }

    /// The next request, signed at this moment.
    ///
    /// *Errors*: those of the API, or it cannot be signed.
    pub(super) fn request(&self) -> Result<Outgoing, Failure> {
        match &self.way {
            Way::Here { sample, url, signer } => {
                let id = format!("{:032x}", u128::from_be_bytes(random()?));
                let request = sample::request(&sample.as_new_delivery(&id), url);
                signer.sign(request, &id, now()).map_err(Failure::Usage)
            }
            Way::Server(asked) => {
                let Request { client, address, document, scheme } = asked.as_ref();
                let answer = client.post(address, document.clone()).map_err(|failure| advised(failure, scheme))?;
                let attributes = answer.pointer("/data/attributes").unwrap_or(&Value::Null);
                Outgoing::from_attributes(attributes)
                    .ok_or_else(|| Failure::Unavailable("The server's answer is no signed request.".to_owned()))
            }
        }
    }

    /// The request with its credentials masked; a signature is none, because nothing else can be signed with it.
    pub(super) fn masked(&self, mut request: Outgoing) -> Outgoing {
        let scheme = signing::scheme_word(&self.auth);
        let has_key = matches!(&self.way, Way::Here { signer, .. } if signer.adds_key());
        let named = self.auth.get("header").and_then(Value::as_str).filter(|_| scheme != "jwt");
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case("authorization") && has_key {
                *value = format!("Bearer {MASKED_KEY}");
            } else if value.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("basic "))
                || named.is_some_and(|named| name.eq_ignore_ascii_case(named))
            {
                MASKED_CREDENTIALS.clone_into(value);
            }
        }
        request
    }

    /// Deletes the key that was made, if one was.
    ///
    /// *Errors*: those of the API; the key then stops by itself.
    pub(super) fn put_away(self) -> Result<(), Failure> {
        self.made.map_or(Ok(()), |(client, key)| key.delete(&client))
    }

    fn offline(args: &Args, event: &str, url: &str) -> Result<Self, Failure> {
        let sample = sample::of(event, args.scheme.as_deref(), &args.changes)?;
        let auth = json!({ "scheme": args.scheme.as_deref().unwrap_or(sample.app), "header": args.header });
        let url = url.to_owned();
        let is_bearer = signing::scheme_word(&auth) == BEARER;
        let key = args.key.clone().or_else(|| config::hook_key().filter(|_| is_bearer));
        let signer = match (given_signer(args, &auth)?, key) {
            (Some(signer), _) => signer,
            (None, Some(key)) => Signer::with_key(key),
            (None, None) => Signer::without_secret(&auth)?,
        };
        Ok(Self { hook: None, auth, way: Way::Here { sample: Box::new(sample), url, signer }, made: None })
    }

    fn for_hook(args: &Args, event: &str, id: &str, global: &Global) -> Result<Self, Failure> {
        let client = Session::open(global)?.client;
        let hook = client.get(&Address::of(&["hooks", &args.kind, id]))?;
        let auth = hook.pointer("/data/attributes/auth").cloned().unwrap_or_else(|| json!({ "scheme": "none" }));
        let names = Some(HookNames { id: id.to_owned(), kind: args.kind.clone() });
        let is_bearer = signing::scheme_word(&auth) == BEARER;
        let signer = given_signer(args, &auth)?;
        if signer.is_none() && !is_bearer {
            let way = from_server(client, args, event, id, signing::scheme_word(&auth));
            return Ok(Self { hook: names, auth, way, made: None });
        }
        let text = |name: &str| hook.get("data")?.get("attributes")?.get(name)?.as_str();
        let sample = Box::new(sample::of(event, text("app").or_else(|| auth.get("scheme")?.as_str()), &args.changes)?);
        let url = text("url").unwrap_or_default().to_owned();
        let (signer, made) = match (signer, args.key.clone().or_else(config::hook_key)) {
            (Some(signer), _) => (signer, None),
            (None, Some(key)) => (Signer::with_key(key), None),
            (None, None) if args.dry_run => (Signer::with_key(MASKED_KEY.to_owned()), None),
            (None, None) => {
                let key = ShortKey::make(&client)?;
                (Signer::with_key(key.token.clone()), Some((client, key)))
            }
        };
        Ok(Self { hook: names, auth, way: Way::Here { sample, url, signer }, made })
    }
}

fn given_signer(args: &Args, auth: &Value) -> Result<Option<Signer>, Failure> {
    match (&args.private_key, &args.secret) {
        (Some(file), _) => Signer::with_private_key(auth, file).map(Some),
        (None, Some(secret)) => Signer::with_secret(auth, secret.clone()).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_server(client: Client, args: &Args, event: &str, id: &str, scheme: &str) -> Way {
    let mut document = Map::from_iter([("event".to_owned(), json!(event))]);
    if !args.changes.is_empty() {
        // Not with `json!`, which would spell numbers anew.
        document.insert("set".to_owned(), Value::Object(args.changes.iter().cloned().collect()));
    }
    Way::Server(Box::new(Request {
        client,
        address: Address::of(&["hooks", &args.kind, id, "samples"]),
        document: Value::Object(document).to_string().into_bytes(),
        scheme: scheme.to_owned(),
    }))
}

/// The refusal, with what to pass to sign it here.
fn advised(failure: Failure, scheme: &str) -> Failure {
    match failure {
        Failure::Refused(Refusal { status, document, hint }) => {
            let advice = match document.pointer("/errors/0/code").and_then(Value::as_str) {
                Some("needs_private_key") => Some(signing::needs_private_key(scheme)),
                Some("needs_key") => Some("Pass the credentials with --key, --secret or --secret-file.".to_owned()),
                Some(_) | None => None,
            };
            Failure::Refused(Refusal { status, document, hint: advice.or(hint) })
        }
        Failure::Usage(_)
        | Failure::Unavailable(_)
        | Failure::Answered(_)
        | Failure::Problems
        | Failure::Pending
        | Failure::CasesFailed
        | Failure::FilesWrong
        | Failure::OutputClosed => failure,
    }
}
