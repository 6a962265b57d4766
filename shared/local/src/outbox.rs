//! The mail that workflows send, as files that nobody delivers: what SES is on AWS.
//!
//! A mail is sent once its `.json` is there; the `.eml` beside it is what a mail program opens.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use service::ports::{NotPosted, OutgoingContent, OutgoingMail, Post, Posted, Unavailable, World};

use crate::folder::Folder;

/// The longest part of a key that becomes part of a name as it is; longer ones are told apart by their digest.
const STEM_LIMIT_BYTES: usize = 180;

/// A folder of sent mails, two files for each.
///
/// *Shape*: `{run}-{step}-{visit}.eml`, the message as it is, and `{run}-{step}-{visit}.json`:
/// `{"id":"local-…","key":"…/…/…","sentAt":"…Z","from":"…","recipients":["…"]}`. A template has no `.eml`; its `.json` has
/// `"template":{"name","data","to","cc","bcc","replyTo"}` besides.
pub struct Outbox {
    folder: Folder,
    world: Arc<dyn World>,
}

/// What is known about a mail besides what it says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'m> {
    id: &'m str,
    key: &'m str,
    sent_at: String,
    from: &'m str,
    recipients: &'m [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<Template<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Template<'m> {
    name: &'m str,
    /// A JSON object as text, as SES takes it.
    data: &'m str,
    to: &'m [String],
    cc: &'m [String],
    bcc: &'m [String],
    reply_to: &'m [String],
}

impl Outbox {
    /// The outbox in the folder `root`, which is made with the first mail.
    pub fn new(root: impl Into<PathBuf>, world: Arc<dyn World>) -> Self {
        Self { folder: Folder::new(root, "post"), world }
    }

    /// Removes what earlier processes began to write. Nobody else may be at work in the folder.
    pub(crate) fn forget_drafts(&self) -> io::Result<()> {
        self.folder.forget_drafts()
    }
}

#[async_trait]
impl Post for Outbox {
    /// The same key again replaces the files: nothing is there twice.
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let stem = stem(&mail.key);
        let id = format!("local-{stem}");
        let (message, template) = parts(&mail.content);
        if let Some(message) = message {
            self.folder.write(&format!("{stem}.eml"), message).await.map_err(NotPosted::NotSent)?;
        }
        let OutgoingMail { key, from, recipients, .. } = mail;
        let envelope = Envelope { id: &id, key, sent_at: self.world.now().to_string(), from, recipients, template };
        let envelope = serde_json::to_vec_pretty(&envelope).map_err(|error| not_sent(&error))?;
        self.folder.write(&format!("{stem}.json"), envelope.into()).await.map_err(NotPosted::NotSent)?;
        Ok(Posted { id })
    }
}

fn parts(content: &OutgoingContent) -> (Option<Bytes>, Option<Template<'_>>) {
    match content {
        OutgoingContent::Raw(message) => (Some(message.clone()), None),
        OutgoingContent::Template { name, data, to, cc, bcc, reply_to } => {
            (None, Some(Template { name, data, to, cc, bcc, reply_to }))
        }
    }
}

/// What the files of `key` are called, and those of no other key.
///
/// Runs and visits have no `-` in them, so that the first and the last one stand for a `/` without a doubt; what else a step
/// may have in its name, a `/` as well, is percent-encoded.
fn stem(key: &str) -> String {
    let separators = [key.find('/'), key.rfind('/')];
    let mut stem = String::with_capacity(key.len());
    for (at, byte) in key.bytes().enumerate() {
        match byte {
            b'/' if separators.contains(&Some(at)) => stem.push('-'),
            b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => stem.push(char::from(byte)),
            other => stem.push_str(&format!("%{other:02X}")),
        }
    }
    if stem.len() > STEM_LIMIT_BYTES {
        // All of it is ASCII, so that it can be cut anywhere.
        stem.truncate(STEM_LIMIT_BYTES);
        stem.push('-');
        stem.push_str(&hex::encode(digest(&SHA256, key.as_bytes())));
    }
    stem
}

fn not_sent(error: &serde_json::Error) -> NotPosted {
    NotPosted::NotSent(Unavailable { port: "post", cause: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::Timestamp;
    use serde_json::{Value, json};
    use service::memory::FixedWorld;

    use super::*;

    fn outbox(root: &std::path::Path) -> Outbox {
        Outbox::new(root, Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_767_225_600_000))))
    }

    fn raw(key: &str, message: &'static str) -> OutgoingMail {
        OutgoingMail {
            key: key.to_owned(),
            from: "shop@shop.example".to_owned(),
            recipients: vec!["ann@mail.example".to_owned(), "bcc@mail.example".to_owned()],
            content: OutgoingContent::Raw(Bytes::from_static(message.as_bytes())),
        }
    }

    fn json_in(file: &std::path::Path) -> Value {
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_mail_lies_there_as_a_message_with_its_envelope_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let posted = outbox(folder.path()).send(&raw("01ab/thank-you/1", "Subject: a\r\n\r\n")).await.unwrap();
        assert_eq!(posted.id, "local-01ab-thank-you-1");
        assert_eq!(fs::read_to_string(folder.path().join("01ab-thank-you-1.eml")).unwrap(), "Subject: a\r\n\r\n");
        assert_eq!(
            json_in(&folder.path().join("01ab-thank-you-1.json")),
            json!({"id": "local-01ab-thank-you-1", "key": "01ab/thank-you/1", "sentAt": "2026-01-01T00:00:00.000Z",
                   "from": "shop@shop.example", "recipients": ["ann@mail.example", "bcc@mail.example"]})
        );
    }

    #[tokio::test]
    async fn the_same_key_again_is_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        let first = outbox.send(&raw("r/s/1", "first")).await.unwrap();
        assert_eq!(outbox.send(&raw("r/s/1", "again")).await.unwrap(), first);
        assert_eq!(fs::read_to_string(folder.path().join("r-s-1.eml")).unwrap(), "again");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_two_keys_have_the_same_files() {
        let keys = ["r/a-b/1", "r/a/b/1", "r/a%2Fb/1", "r/a.b/1", "r/a/1", "r/a/11", "r/ä/1", "r//1"];
        let stems: std::collections::HashSet<String> = keys.iter().map(|key| stem(key)).collect();
        assert_eq!(stems.len(), keys.len(), "{stems:?}");
    }

    #[tokio::test]
    async fn a_template_lies_there_with_what_it_is_filled_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut mail = raw("r/s/1", "");
        mail.content = OutgoingContent::Template {
            name: "thanks".to_owned(),
            data: r#"{"total":1.10}"#.to_owned(),
            to: vec!["ann@mail.example".to_owned()],
            cc: vec![],
            bcc: vec!["bcc@mail.example".to_owned()],
            reply_to: vec![],
        };
        outbox(folder.path()).send(&mail).await.unwrap();
        assert_eq!(
            json_in(&folder.path().join("r-s-1.json"))["template"],
            json!({"name": "thanks", "data": "{\"total\":1.10}", "to": ["ann@mail.example"], "cc": [],
                   "bcc": ["bcc@mail.example"], "replyTo": []})
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn any_name_of_a_step_gives_files_in_the_folder_and_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = outbox(folder.path());
        let long = "ä".repeat(300);
        let steps = ["a b", "a-b", "a_b", "a%20b", "../../x", ".", "", "ä", "a\0", &long, &format!("{long}b")];
        for step in steps {
            outbox.send(&raw(&format!("run/{step}/1"), "x")).await.unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 * steps.len());
    }
}
