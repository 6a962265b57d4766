//! The port of uploads: a grant lets exactly the granted bytes in, once they are all there.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use local::{LocalUploads, Stack, UPLOADS_PATH, UploadRefusal, UploadRequest};
use ring::digest::{SHA256, digest};
use service::memory::MemoryBlobs;
use service::ports::{Blobs, Upload, Uploads};

const BASE_URL: &str = "http://127.0.0.1:8787";
const BODY: &[u8] = b"the bytes of a picture";

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

fn upload_of(bytes: &[u8]) -> Upload {
    Upload { sha256: sha256(bytes), bytes: bytes.len() as u64, content_type: "image/png".to_owned(), seconds: 300 }
}

/// A stack on disk and one in memory, both with a listener.
async fn stacks(folder: &Path) -> [Stack; 2] {
    let stacks = [Stack::open(folder).await.unwrap(), Stack::memory().await.unwrap()];
    for stack in &stacks {
        stack.uploads.listen_at(BASE_URL);
    }
    stacks
}

/// What a sender does with a grant: path and query of its URL, its header, and a body in pieces.
struct Sent {
    target: String,
    content_type: String,
    content_length: Option<u64>,
    pieces: Vec<Vec<u8>>,
}

impl Sent {
    async fn with_grant(uploads: &LocalUploads, upload: &Upload, body: &[u8]) -> Self {
        let grant = uploads.grant(upload).await.unwrap();
        Self {
            target: grant.url.strip_prefix(BASE_URL).unwrap().to_owned(),
            content_type: grant.headers.iter().find(|(name, _)| name == "content-type").unwrap().1.clone(),
            content_length: Some(body.len() as u64),
            pieces: body.chunks(5).map(<[u8]>::to_vec).collect(),
        }
    }

    async fn to(&self, uploads: &LocalUploads) -> Result<(), UploadRefusal> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let (content_type, content_length) = (self.content_type.as_str(), self.content_length);
        let mut receiving = uploads.begin(&UploadRequest { path, query, content_type, content_length }).await?;
        for piece in &self.pieces {
            receiving.take(piece).await?;
        }
        receiving.finish().await
    }
}

#[tokio::test]
async fn what_was_granted_is_a_blob_once_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    for stack in stacks(folder.path()).await {
        for body in [BODY, b""] {
            let upload = upload_of(body);
            assert_eq!(stack.uploads.size(&upload.sha256).await.unwrap(), None);
            let sent = Sent::with_grant(&stack.uploads, &upload, body).await;
            for _again in 0..2 {
                sent.to(&stack.uploads).await.unwrap();
                assert_eq!(stack.uploads.size(&upload.sha256).await.unwrap(), Some(upload.bytes));
                assert_eq!(stack.blobs.find(&upload.sha256).await.unwrap().as_deref(), Some(body));
            }
        }
    }
    assert_eq!(drafts(folder.path()), 0);
}

#[tokio::test]
async fn a_blob_that_was_put_has_its_size() {
    let folder = tempfile::tempdir().unwrap();
    for stack in stacks(folder.path()).await {
        stack.blobs.put(&sha256(BODY), Bytes::from_static(BODY)).await.unwrap();
        assert_eq!(stack.uploads.size(&sha256(BODY)).await.unwrap(), Some(22));
        assert_eq!(stack.uploads.size(&sha256(b"other")).await.unwrap(), None);
    }
    let twin = MemoryBlobs::default();
    twin.put(&sha256(BODY), Bytes::from_static(BODY)).await.unwrap();
    assert_eq!(twin.size(&sha256(BODY)).await.unwrap(), Some(22));
    assert_eq!(twin.size(&sha256(b"other")).await.unwrap(), None);
}

#[tokio::test]
async fn other_bytes_are_refused_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for stack in stacks(folder.path()).await {
        let upload = upload_of(BODY);
        for (body, code) in [
            (&b"the bytes of a poodle!"[..], "upload_has_wrong_digest"),
            (b"the bytes of a picture!", "upload_has_wrong_length"),
            (b"the bytes of a pictur", "upload_has_wrong_length"),
            (b"", "upload_has_wrong_length"),
        ] {
            for said in [Some(body.len() as u64), None, Some(upload.bytes)] {
                let mut sent = Sent::with_grant(&stack.uploads, &upload, body).await;
                sent.content_length = said;
                assert_eq!(sent.to(&stack.uploads).await.unwrap_err().code(), code, "{body:?} {said:?}");
            }
        }
        assert_eq!(stack.uploads.size(&upload.sha256).await.unwrap(), None);
    }
    assert_eq!(drafts(folder.path()), 0);
}

#[tokio::test]
async fn a_grant_that_was_changed_in_any_place_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let [stack, other] = stacks(folder.path()).await;
    let given = Sent::with_grant(&stack.uploads, &upload_of(BODY), BODY).await;
    let changed = |from: &str, to: &str| {
        assert!(given.target.contains(from), "{from}");
        given.target.replacen(from, to, 1)
    };
    let mut targets = vec![
        changed(&sha256(BODY), &sha256(b"other")),
        changed(&sha256(BODY), &format!("../{}", sha256(BODY))),
        changed("bytes=22", "bytes=23"),
        changed("until=", "until=9"),
        changed("signature=", "signature=00"),
        changed("bytes=22&", ""),
        changed("?", "?a=b&"),
        given.target.split('?').next().unwrap().to_owned(),
        format!("{}&a=b", given.target),
        format!("{UPLOADS_PATH}?bytes=1&until=9999999999&signature="),
        UPLOADS_PATH.to_owned(),
    ];
    // Every digit of the signature counts.
    let digits_at = given.target.find("signature=").unwrap() + "signature=".len();
    for at in digits_at..given.target.len() {
        let mut target = given.target.clone().into_bytes();
        target[at] = if target[at] == b'0' { b'1' } else { b'0' };
        targets.push(String::from_utf8(target).unwrap());
    }
    for target in targets {
        let sent = Sent { target, pieces: given.pieces.clone(), content_type: given.content_type.clone(), ..given };
        let outcome = sent.to(&stack.uploads).await;
        assert!(matches!(outcome, Err(UploadRefusal::NotGranted)), "{}: {outcome:?}", sent.target);
    }
    let other_type =
        Sent { content_type: "text/html".to_owned(), target: given.target.clone(), pieces: vec![], ..given };
    assert!(matches!(other_type.to(&stack.uploads).await, Err(UploadRefusal::NotGranted)));
    assert!(
        matches!(given.to(&other.uploads).await, Err(UploadRefusal::NotGranted)),
        "another process has another key"
    );
}

#[tokio::test]
async fn nothing_is_granted_while_nobody_listens() {
    let stack = Stack::memory().await.unwrap();
    assert!(stack.uploads.grant(&upload_of(BODY)).await.is_err());
}

/// How many unfinished files are in the state directory.
fn drafts(state_dir: &Path) -> usize {
    let entries = fs::read_dir(state_dir.join("blobs")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
}
