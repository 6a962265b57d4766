//! Uploads: files that a sender brings before its post, because they are too large for a request.
//!
//! An upload is a promise to bring certain bytes: the sender names their SHA-256, gets the right to put exactly these, and
//! names the upload in its post as `{"$upload":"…"}`. Nothing is believed of it until the bytes are there in full.

use domain::{Hook, Rejected, Rejection, StoredFile, Timestamp, UploadRule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Door,
    accept::NotAccepted,
    document,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, Upload, WriteError},
};

/// The one key of an object that stands for an upload.
const REFERENCE: &str = "$upload";

/// The most uploads one post may name. *Why*: each is looked up, and each makes the data larger after it was measured.
const REFERENCES_LIMIT: usize = 10;

/// How long the bytes may take to come.
const GRANT_SECONDS: u32 = 15 * 60;

/// How long an upload may be named in a post.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

const ID_BYTES: usize = 16;

const CONTENT_TYPE_LIMIT_BYTES: usize = 255;

const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// What a sender says of a file it is going to bring.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Draft {
    sha256: String,
    bytes: u64,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// An upload, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    sha256: String,
    bytes: u64,
    content_type: String,
    file_name: String,
    created_at: Timestamp,
}

impl Promise {
    /// The file, once it is there.
    fn document(&self) -> Value {
        let Self { sha256, bytes, content_type, file_name, .. } = self;
        let blob = format!("sha256/{sha256}");
        json!({
            "fileName": file_name, "contentType": content_type, "size": bytes, "sha256": sha256, "blob": blob,
        })
    }
}

/// Promises a place for the file that `draft` describes.
///
/// *Shape* of `draft`: `{"sha256":"…","bytes":3,"contentType":"image/png","name":"a.png"}`; of the answer:
/// `{"data":{"type":"upload","id":"…","attributes":{"method":"PUT","url":"…","headers":{…},"expiresAt":"…"}}}`.
/// *Once it returns* posts to this hook may name the upload for 24 hours.
/// *Errors*: the draft says something impossible, or more bytes than the hook takes.
pub(crate) async fn grant(door: &Door, hook: &Hook, rule: UploadRule, draft: Value) -> Result<Value, NotAccepted> {
    let created_at = door.world.now();
    let promise = promise(draft, rule, created_at)?;
    let mut random = [0; ID_BYTES];
    door.world.fill(&mut random)?;
    let id = hex::encode(random);
    let upload = Upload {
        sha256: promise.sha256.clone(),
        bytes: promise.bytes,
        content_type: promise.content_type.clone(),
        seconds: GRANT_SECONDS,
    };
    let granted = door.uploads.grant(&upload).await?;
    remember(door.store.as_ref(), hook, &id, &promise).await?;
    let headers: Map<String, Value> =
        granted.headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    Ok(json!({ "data": { "type": "upload", "id": id, "attributes": {
        "method": "PUT",
        "url": granted.url,
        "headers": headers,
        "expiresAt": created_at.plus_seconds(GRANT_SECONDS.into()),
    } } }))
}

/// Puts in the place of each `{"$upload":"…"}` in `data` the file it stands for, as a file of a multipart form would be,
/// and gives these files.
///
/// *Errors*: an upload is not of this hook or has expired, its bytes are not there in full, or there are too many.
pub(crate) async fn resolve(door: &Door, hook: &Hook, data: &mut Value) -> Result<Vec<StoredFile>, NotAccepted> {
    let mut ids = Vec::new();
    collect(data, &mut ids);
    if ids.len() > REFERENCES_LIMIT {
        let detail = format!("A post may name {REFERENCES_LIMIT} uploads; send more posts.");
        return Err(malformed("too_many_uploads", detail).into());
    }
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        files.push(arrived(door, hook, &id).await?);
    }
    replace(data, &mut files.iter().map(Promise::document));
    Ok(files.into_iter().map(|Promise { sha256, bytes, .. }| StoredFile { sha256, size: bytes }).collect())
}

fn promise(draft: Value, rule: UploadRule, created_at: Timestamp) -> Result<Promise, Rejected> {
    let draft: Draft = serde_json::from_value(draft).map_err(|error| {
        let shape = r#"{"sha256":"…","bytes":3,"contentType":"image/png","name":"a.png"}"#;
        malformed("malformed_upload", format!("Describe the file as {shape}: {error}."))
    })?;
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if draft.sha256.len() != 64 || !draft.sha256.bytes().all(is_lower_hex) {
        let detail = "sha256 is the SHA-256 of the bytes: 64 lower-case hexadecimal digits.";
        return Err(Rejected::at("$.sha256", "malformed_upload", detail));
    }
    if draft.bytes > rule.limit_bytes {
        let detail = format!("An upload to this form has at most {} bytes.", rule.limit_bytes);
        return Err(Rejected::new(Rejection::TooLarge, "upload_too_large", detail));
    }
    let content_type = draft.content_type.unwrap_or_else(|| UNKNOWN_CONTENT_TYPE.to_owned());
    if !is_content_type(&content_type) {
        let detail =
            format!("contentType is a media type of at most {CONTENT_TYPE_LIMIT_BYTES} characters: image/png.");
        return Err(Rejected::at("$.contentType", "malformed_upload", detail));
    }
    let file_name = ingest::base_name(draft.name.as_deref().unwrap_or_default());
    Ok(Promise { sha256: draft.sha256, bytes: draft.bytes, content_type, file_name, created_at })
}

/// It is signed and sent as a header, so it is one line of ASCII.
fn is_content_type(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    text.len() <= CONTENT_TYPE_LIMIT_BYTES
        && text.trim() == text
        && text.split_once('/').is_some_and(|(kind, rest)| is_part(kind) && is_part(rest))
}

async fn remember(store: &dyn Store, hook: &Hook, id: &str, promise: &Promise) -> Result<(), Unavailable> {
    let item = Item {
        key: key(hook, id),
        rev: 1,
        document: document::write(promise)?,
        index: None,
        expires_at: Some(promise.created_at.plus_seconds(KEPT_SECONDS).as_second()),
    };
    match store.write(&[Change::Put(item, Expectation::Absent)]).await {
        Ok(()) => Ok(()),
        Err(WriteError::Conflict { .. }) => {
            Err(Unavailable { port: "store", cause: "an upload's random id is taken".to_owned() })
        }
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

/// The upload `id`, kept in full.
async fn arrived(door: &Door, hook: &Hook, id: &str) -> Result<Promise, NotAccepted> {
    let is_id = id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = if is_id { door.store.find(&key(hook, id), Freshness::Latest).await? } else { None };
    let Some(found) = found else {
        let detail = "The post names an upload that this form does not know, or not any more. Upload the file again and name it within 24 hours.";
        return Err(malformed("upload_unknown", detail).into());
    };
    let promise: Promise = document::read(&found)?;
    if door.uploads.size(&promise.sha256).await? != Some(promise.bytes) {
        let file_name = &promise.file_name;
        let detail = format!("The file {file_name} has not arrived in full. PUT all of it, then send the post again.");
        return Err(malformed("upload_incomplete", detail).into());
    }
    Ok(promise)
}

/// What an object stands for, if it stands for an upload. What is no text cannot be one's id.
fn reference(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    Some(object.get(REFERENCE)?.as_str().unwrap_or_default())
}

/// The ids in `value`, in the order in which [`replace`] comes by. Data nests 64 levels at most, as it was read.
fn collect(value: &Value, ids: &mut Vec<String>) {
    if let Some(id) = reference(value) {
        ids.push(id.to_owned());
        return;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(list) => list.iter().for_each(|element| collect(element, ids)),
        Value::Object(map) => map.values().for_each(|member| collect(member, ids)),
    }
}

fn replace(value: &mut Value, files: &mut impl Iterator<Item = Value>) {
    if reference(value).is_some() {
        if let Some(file) = files.next() {
            *value = file;
        }
        return;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(list) => list.iter_mut().for_each(|element| replace(element, files)),
        Value::Object(map) => map.values_mut().for_each(|member| replace(member, files)),
    }
}

fn malformed(code: &'static str, detail: impl Into<String>) -> Rejected {
    Rejected::new(Rejection::Malformed, code, detail)
}

fn key(hook: &Hook, id: &str) -> Key {
    Key::new(Table::Runs, format!("{}#upload#{}#{id}", hook.org, hook.id), "upload")
}
