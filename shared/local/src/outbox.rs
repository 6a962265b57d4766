//! The mail that workflows send, as files that nobody delivers: what SES is on AWS.
//!
//! A mail is sent once its `.json` is there; the `.eml` beside it is what a mail program opens.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{OrgId, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use service::ports::{NotPosted, OutgoingContent, OutgoingMail, Post, Posted, SentMail, SentMails, Unavailable, World};

use crate::folder::Folder;

/// The longest part of a key that becomes part of a name as it is; longer ones are told apart by their digest.
const STEM_LIMIT_BYTES: usize = 180;

/// What ids begin with; the rest is what the files of the mail are called.
const ID_PREFIX: &str = "local-";

/// A folder of sent mails, two files for each.
///
/// *Shape*: `{run}-{step}-{visit}.eml`, the message as it is, and `{run}-{step}-{visit}.json`:
/// `{"id":"local-…","key":"…/…/…","org":"…","sentAt":"…Z","from":"…","recipients":["…"]}`. A template has no `.eml`; its `.json` has
/// `"template":{"name","data","to","cc","bcc","replyTo"}` besides.
pub struct Outbox {
    shelf: Shelf,
    world: Arc<dyn World>,
}

/// Where the files are.
enum Shelf {
    Folder(Folder),
    Memory(Mutex<BTreeMap<String, Bytes>>),
}

/// What is known about a mail besides what it says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    id: String,
    key: String,
    org: OrgId,
    sent_at: Timestamp,
    from: String,
    recipients: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    name: String,
    /// A JSON object as text, as SES takes it.
    data: String,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    reply_to: Vec<String>,
}

impl Outbox {
    /// The outbox in the folder `root`, which is made with the first mail.
    pub fn folder(root: impl Into<PathBuf>, world: Arc<dyn World>) -> Self {
        Self { shelf: Shelf::Folder(Folder::new(root, "post")), world }
    }

    /// An outbox that is gone with the process.
    pub fn memory(world: Arc<dyn World>) -> Self {
        Self { shelf: Shelf::Memory(Mutex::default()), world }
    }

    /// Removes what earlier processes began to write. Nobody else may be at work in the folder.
    pub(crate) fn forget_drafts(&self) -> io::Result<()> {
        match &self.shelf {
            Shelf::Folder(folder) => folder.forget_drafts(),
            Shelf::Memory(_) => Ok(()),
        }
    }

    /// What is known of the mail whose files are called `stem`; nothing of what is no mail of `org`.
    async fn envelope(&self, org: OrgId, stem: &str) -> Result<Option<Envelope>, Unavailable> {
        let Some(file) = self.shelf.read(&format!("{stem}.json")).await? else { return Ok(None) };
        // Whoever puts a file of another kind there does not take the others away.
        Ok(serde_json::from_slice(&file).ok().filter(|envelope: &Envelope| envelope.org == org))
    }
}

impl Shelf {
    async fn write(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable> {
        match self {
            Self::Folder(folder) => folder.write(name, bytes).await,
            Self::Memory(files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes);
                Ok(())
            }
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Bytes>, Unavailable> {
        match self {
            Self::Folder(folder) => folder.read(name).await,
            Self::Memory(files) => Ok(files.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()),
        }
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        match self {
            Self::Folder(folder) => folder.names().await,
            Self::Memory(files) => Ok(files.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()),
        }
    }
}

#[async_trait]
impl Post for Outbox {
    /// The same key again replaces the files: nothing is there twice.
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let stem = stem(&mail.key);
        let id = format!("{ID_PREFIX}{stem}");
        let OutgoingMail { org, key, from, recipients, content } = mail.clone();
        let (message, template) = parts(content);
        if let Some(message) = message {
            self.shelf.write(&format!("{stem}.eml"), message).await.map_err(NotPosted::NotSent)?;
        }
        let envelope = Envelope { id: id.clone(), key, org, sent_at: self.world.now(), from, recipients, template };
        let envelope = serde_json::to_vec_pretty(&envelope).map_err(|error| not_sent(&error))?;
        self.shelf.write(&format!("{stem}.json"), envelope.into()).await.map_err(NotPosted::NotSent)?;
        Ok(Posted { id })
    }
}

#[async_trait]
impl SentMails for Outbox {
    /// All envelopes are read for it: an outbox of local mode is small.
    async fn list(&self, org: OrgId, after: Option<&str>, limit: usize) -> Result<Vec<SentMail>, Unavailable> {
        let mut mails = Vec::new();
        for name in self.shelf.names().await? {
            let Some(stem) = name.strip_suffix(".json") else { continue };
            mails.extend(self.envelope(org, stem).await?.map(sent));
        }
        mails.retain(|mail: &SentMail| after.is_none_or(|after| mail.position().as_str() < after));
        mails.sort_unstable_by_key(|mail| std::cmp::Reverse(mail.position()));
        mails.truncate(limit);
        Ok(mails)
    }

    async fn find(&self, org: OrgId, id: &str) -> Result<Option<(SentMail, OutgoingContent)>, Unavailable> {
        let Some(stem) = id.strip_prefix(ID_PREFIX) else { return Ok(None) };
        let Some(mut envelope) = self.envelope(org, stem).await? else { return Ok(None) };
        let content = match envelope.template.take() {
            Some(Template { name, data, to, cc, bcc, reply_to }) => {
                OutgoingContent::Template { name, data, to, cc, bcc, reply_to }
            }
            // Somebody may have taken it out of the folder to look at it.
            None => OutgoingContent::Raw(self.shelf.read(&format!("{stem}.eml")).await?.unwrap_or_default()),
        };
        Ok(Some((sent(envelope), content)))
    }
}

fn sent(Envelope { id, key, sent_at, from, recipients, .. }: Envelope) -> SentMail {
    SentMail { id, key, sent_at, from, recipients }
}

fn parts(content: OutgoingContent) -> (Option<Bytes>, Option<Template>) {
    match content {
        OutgoingContent::Raw(message) => (Some(message), None),
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
        Outbox::folder(root, Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_767_225_600_000))))
    }

    fn org() -> OrgId {
        OrgId::parse("581392b55ac7a2110099d9c8").unwrap()
    }

    fn raw(key: &str, message: &'static str) -> OutgoingMail {
        OutgoingMail {
            org: org(),
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
            json!({"id": "local-01ab-thank-you-1", "key": "01ab/thank-you/1", "org": org().to_string(), "sentAt": "2026-01-01T00:00:00.000Z",
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

    #[tokio::test]
    async fn what_lies_there_is_found_again_newest_first_and_by_its_own_org_only() {
        let folder = tempfile::tempdir().unwrap();
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_767_225_600_000)));
        for outbox in [Outbox::folder(folder.path().join("outbox"), world.clone()), Outbox::memory(world.clone())] {
            assert_eq!(outbox.list(org(), None, 10).await.unwrap(), []);
            for key in ["r/one/1", "r/t\u{e4}st/1", "r/three/1"] {
                world.pass_seconds(1);
                outbox.send(&raw(key, "Subject: a\r\n\r\n")).await.unwrap();
            }
            let other = OrgId::parse("000000000000000000000001").unwrap();
            outbox.send(&OutgoingMail { org: other, ..raw("r/four/1", "x") }).await.unwrap();

            let all = outbox.list(org(), None, 10).await.unwrap();
            let keys: Vec<&str> = all.iter().map(|mail| mail.key.as_str()).collect();
            assert_eq!(keys, ["r/three/1", "r/t\u{e4}st/1", "r/one/1"]);
            let first = outbox.list(org(), None, 2).await.unwrap();
            let rest = outbox.list(org(), Some(&first[1].position()), 2).await.unwrap();
            assert_eq!([first, rest].concat(), all);
            for mail in &all {
                let (found, content) = outbox.find(org(), &mail.id).await.unwrap().unwrap();
                assert_eq!(found, *mail);
                assert_eq!(content, OutgoingContent::Raw(Bytes::from_static(b"Subject: a\r\n\r\n")));
                assert_eq!(outbox.find(other, &mail.id).await.unwrap(), None);
            }
            for id in ["", "local-", "local-../x", "r-one-1", "local-r-one-2"] {
                assert_eq!(outbox.find(org(), id).await.unwrap(), None, "{id}");
            }
        }
        fs::write(folder.path().join("outbox/note.json"), "{}").unwrap();
        fs::write(folder.path().join("outbox/.draft-1-0"), "{").unwrap();
        assert_eq!(Outbox::folder(folder.path().join("outbox"), world).list(org(), None, 10).await.unwrap().len(), 3);
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
