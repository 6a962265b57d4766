//! From what was read to transactions: batches, and the tape.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{GENERATION_HEADER, Hook, Rejected, Rejection, StoredFile, Timestamp, Transaction, TransactionId};
use futures_util::future::try_join_all;
use ingest::Reading;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    Arrival, Door, NotAccepted,
    circumstances::Circumstances,
    data_sha256, owner_note,
    repeats::{self, IDEMPOTENCY_KEY_LIMIT_BYTES},
};
use crate::{
    announce,
    envelope::{Envelope, Source},
    runs::{self, Recording},
};

/// How many transactions of one arrival go on the queue at the same time.
const SENDS_AT_ONCE: usize = 16;

/// The most transactions of one arrival. *Source*: Meta, "Webhooks": at most 1,000 updates come in a batch.
const PARTS_LIMIT: usize = 1_000;

/// The longest id of a delivery that is kept as it is. *Why*: longer than any provider's.
const DELIVERY_ID_LIMIT_BYTES: usize = 512;

/// A transaction that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The transaction.
    pub transaction: Transaction,
    /// Whether it had arrived before.
    pub repeat: Repeat,
    /// Where it is.
    pub place: Place,
}

/// Where a transaction is once it was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the queue.
    Queue,
    /// In the store until the ticker sends it, because the queue did not take it.
    Unsent,
    /// In the store until its hook goes on.
    Held,
}

/// Whether something arrived before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It did not.
    No,
    /// It did; this is the transaction of then.
    Yes,
}

/// What of an arrival becomes one transaction.
struct Part {
    /// Its place in the arrival; of one with a delivery id, among those parts that have the same id and other data.
    position: usize,
    id: TransactionId,
    data: Value,
    source: Option<Source>,
}

/// What all parts of an arrival have.
struct Common<'a> {
    created_at: Timestamp,
    repeat: Repeat,
    notes: Vec<domain::Note>,
    files: Vec<StoredFile>,
    circumstances: &'a Circumstances,
}

impl Door {
    /// Makes transactions of what was read: one, or one for each part of a batch where the app of the hook says how a
    /// batch is taken apart.
    ///
    /// *Once it returns* all of them are durable, on the queue or in the store. Taking the same arrival again is safe: under an id that was
    /// taken before, runs start once.
    /// *Errors*: [`NotAccepted`]; some of a batch may have been accepted then, and will be known again.
    pub async fn take(
        &self,
        hook: &Hook,
        arrival: Arrival,
        source: Option<Source>,
        circumstances: &Circumstances,
        body: &[u8],
    ) -> Result<Vec<Taken>, NotAccepted> {
        let Arrival { id, created_at, repeat, reading: Reading { data, notes, files }, uploads } = arrival;
        check_idempotency_key(circumstances)?;
        let mut stored = uploads;
        for file in files {
            stored.push(StoredFile { sha256: file.sha256.clone(), size: file.bytes.len() as u64 });
            self.blobs.put(&file.sha256, file.bytes).await?;
        }
        let parts = self.parts(id, data, source)?;
        let notes = notes.into_iter().map(owner_note).collect();
        let common = &Common { created_at, repeat, notes, files: stored, circumstances };
        let mut taken = Vec::with_capacity(parts.len());
        let mut parts = parts.into_iter().peekable();
        while parts.peek().is_some() {
            let sends = parts.by_ref().take(SENDS_AT_ONCE).map(|part| self.send(hook, part, common));
            taken.extend(try_join_all(sends).await?);
        }
        if hook.tape {
            self.record(hook, &taken, circumstances, body).await;
        }
        Ok(taken)
    }

    /// What becomes a transaction each. The ids of a batch follow from the first, which is the arrival's own.
    fn parts(&self, id: TransactionId, data: Value, source: Option<Source>) -> Result<Vec<Part>, NotAccepted> {
        let app = source.as_ref().and_then(|source| apps::find(source.app.as_deref()?));
        let Some(app) = app else { return Ok(vec![Part { position: 0, id, data, source }]) };
        let bodies = app.split(&data).unwrap_or_else(|| vec![data]);
        if bodies.len() > PARTS_LIMIT {
            return Err(too_many_parts().into());
        }
        let is_batch = bodies.len() > 1;
        let mut parts = Vec::with_capacity(bodies.len());
        let mut namesakes: HashMap<String, Vec<String>> = HashMap::new();
        for (index, data) in bodies.into_iter().enumerate() {
            let id = if index == 0 { id } else { self.fresh_id()? };
            let mut position = index;
            let mut source = source.clone();
            if let Some(source) = &mut source {
                source.delivery_id = app.delivery_id(&source.input(&data)).map(short);
                // What came alone has no namesakes, and its data need not be digested to know that.
                if let (Some(delivery_id), true) = (&source.delivery_id, is_batch) {
                    let others = namesakes.entry(delivery_id.clone()).or_default();
                    position = position_among(others, data_sha256(&data));
                }
            }
            parts.push(Part { position, id, data, source });
        }
        Ok(parts)
    }

    async fn send(&self, hook: &Hook, part: Part, common: &Common<'_>) -> Result<Taken, NotAccepted> {
        let Part { position, id, data, source } = part;
        let Common { created_at, repeat, circumstances, .. } = *common;
        let (notes, files) = (common.notes.clone(), common.files.clone());
        let (org, hook_kind) = (hook.org, hook.kind);
        let transaction = Transaction {
            id,
            org,
            hook: Some(hook.id),
            hook_kind: Some(hook_kind),
            created_at,
            data,
            email: None,
            files,
            generation: announce::generation(circumstances.header(GENERATION_HEADER)),
            fired: None,
        };
        let delivery_id = source.as_ref().and_then(|source| source.delivery_id.as_deref());
        let key = repeats::repeat_key(hook, delivery_id, circumstances, position, &transaction.data);
        let envelope = Envelope::new(hook.event_name.clone(), transaction, notes).from_source(source);
        self.enqueue(hook, envelope, repeat, key).await
    }

    /// Puts the arrival on the tape. It is accepted by now, so that a tape that fails must not ask its sender to come
    /// again.
    async fn record(&self, hook: &Hook, taken: &[Taken], circumstances: &Circumstances, body: &[u8]) {
        let mut new: Vec<_> = taken.iter().filter(|taken| taken.repeat == Repeat::No).collect();
        if new.is_empty() {
            // It is on the tape already, unless it was marked and not accepted when it first came.
            new.extend(taken);
        }
        let Some(first) = new.first() else { return };
        let recording = Recording {
            received_at: first.transaction.created_at,
            transactions: new.iter().map(|taken| taken.transaction.id).collect(),
            method: circumstances.method.clone(),
            query: circumstances.query.clone(),
            content_type: circumstances.header("content-type").map(str::to_owned),
            headers: circumstances.headers.clone(),
            body: BASE64.encode(body),
            is_held: new.iter().any(|taken| taken.place == Place::Held),
        };
        if let Err(error) = runs::record(self.store.as_ref(), hook, &recording).await {
            // The transaction is safe; whoever listens misses it and can read it by its id.
            tracing::error!(hook.id = %hook.id, %error, "an arrival is not on the tape");
        }
    }
}

impl Source {
    /// What an app is asked with.
    pub(crate) fn input<'a>(&'a self, body: &'a Value) -> apps::Input<'a> {
        apps::Input { body, headers: &self.headers, query: &self.query, method: &self.method }
    }

    /// How a request came to a hook that is set to `scheme` and `app`.
    pub(crate) fn of(hook: &Hook, scheme: &str, circumstances: &Circumstances, query: Map<String, Value>) -> Self {
        Self {
            app: hook.app.clone(),
            scheme: scheme.to_owned(),
            method: circumstances.method.clone(),
            query,
            headers: circumstances.header_map(),
            delivery_id: None,
        }
    }
}

/// Where `body` stands among the different bodies so far.
fn position_among(bodies: &mut Vec<String>, body: String) -> usize {
    bodies.iter().position(|known| *known == body).unwrap_or_else(|| {
        bodies.push(body);
        bodies.len() - 1
    })
}

/// An id as it is kept: a long one as its digest, because it goes on the queue beside the data that it was in.
fn short(id: String) -> String {
    if id.len() <= DELIVERY_ID_LIMIT_BYTES { id } else { format!("sha256:{}", hex::encode(Sha256::digest(&id))) }
}

/// Its bytes have to be text, since all that are not would become the same key.
fn check_idempotency_key(circumstances: &Circumstances) -> Result<(), Rejected> {
    let mut keys = circumstances.headers.iter().filter(|(name, _)| name == "idempotency-key").map(|(_, key)| key);
    let Some(key) = keys.next() else { return Ok(()) };
    let is_text = !key.contains(char::REPLACEMENT_CHARACTER);
    if (1..=IDEMPOTENCY_KEY_LIMIT_BYTES).contains(&key.len()) && is_text && keys.next().is_none() {
        return Ok(());
    }
    let detail = format!("An Idempotency-Key comes once and has 1 to {IDEMPOTENCY_KEY_LIMIT_BYTES} bytes of text.");
    Err(Rejected::new(Rejection::Malformed, "bad_idempotency_key", detail))
}

/// Nothing of it is taken: what one invocation cannot finish would begin anew with every repeat.
fn too_many_parts() -> Rejected {
    let detail = format!("A batch has at most {PARTS_LIMIT} parts. Send it in several requests.");
    Rejected::new(Rejection::TooLarge, "too_many_parts", detail)
}
