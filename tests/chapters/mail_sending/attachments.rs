//! Files that go out with a mail.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::StoredFile;
use serde_json::{Value, json};
use service::{
    Executor,
    actions::Mailing,
    memory::MemoryPost,
    ports::{Blobs, NotPosted, OutgoingMail, Pieces, Post, Posted, Unavailable},
};
use sha2::{Digest, Sha256};
use tests::world::{World, workflow_of};

use super::{Office, text_of};

/// A file object as a form that posts JSON may write one itself; its bytes are among the blobs.
async fn file(world: &World, name: &str, content_type: &str, bytes: &'static [u8]) -> Value {
    let sha256 = sha256(bytes);
    world.blobs.put(&sha256, Bytes::from_static(bytes)).await.unwrap();
    json!({ "fileName": name, "contentType": content_type, "size": bytes.len(), "sha256": sha256, "blob": format!("sha256/{sha256}") })
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn stored(bytes: &[u8]) -> StoredFile {
    StoredFile { sha256: sha256(bytes), size: bytes.len() as u64 }
}

fn steps(attachments: &Value) -> Value {
    let params = json!({ "to": "ann@example.com", "subject": "Files", "text": "Here.", "attachments": attachments });
    json!([{ "id": "send", "action": "kustomer.app.mail.send", "params": params, "transitions": [] }])
}

async fn office(attachments: Value) -> Office {
    Office::with_steps(steps(&attachments)).await
}

#[tokio::test]
async fn files_of_a_form_go_out_byte_by_byte() {
    let office = office(json!([
        "/#steps.1.attributes.data.invoice",
        { "blob": "/#steps.1.attributes.data.photo", "fileName": "größe.png" },
        { "blob": "/#steps.1.attributes.data.notes.blob", "contentType": "text/x-log" },
    ]))
    .await;
    let part = |name: &str, file_name: &str, content_type: &str, text: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name={name}; filename=\"{file_name}\"\r\nContent-Type: {content_type}\r\n\r\n{text}\r\n"
        )
    };
    let form = [
        part("invoice", "invoice.pdf", "application/pdf", "%PDF"),
        part("photo", "IMG_1.png", "image/png", "PNG\r\n"),
        part("notes", "../notes.txt", "text/plain; charset=utf-8", "a\rb\0\n"),
        "--b--\r\n".to_owned(),
    ];

    let posted = office.world.post_as(&office.hook, "multipart/form-data; boundary=b", form.concat()).await.expect(202);
    office.world.work().await;

    let run = office.world.run_of(&posted.id()).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let text = text_of(&office.post.sent()[0]);
    for part in [
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"invoice.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n",
        "Content-Type: image/png\r\nContent-Disposition: attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.png\r\nContent-Transfer-Encoding: base64\r\n\r\nUE5HDQo=\r\n",
        "Content-Type: text/x-log\r\nContent-Disposition: attachment; filename=\"notes.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ1iAAo=\r\n",
    ] {
        assert!(text.contains(part), "{part}\n---\n{text}");
    }
}

#[tokio::test]
async fn a_file_that_was_uploaded_before_its_post_goes_out() {
    let office = office(json!([])).await;
    let world = &office.world;
    let hook = world.form_hook_with(json!({ "title": "Photos", "uploads": { "limitBytes": 100 } })).await;
    let file = steps(&json!("/#steps.1.attributes.data.file"));
    world.workflow(workflow_of("files", &hook.event, file)).await;
    let draft = json!({ "sha256": sha256(b"png"), "bytes": 3, "contentType": "image/png", "name": "photo.png" });
    let headers = [("content-type", "application/json")];
    let granted = world.send("POST", &format!("{}/uploads", hook.path), &headers, draft.to_string()).await.expect(201);
    world.blobs.put(&sha256(b"png"), Bytes::from_static(b"png")).await.unwrap();

    let transaction = world.arrive(&hook, json!({ "file": { "$upload": granted.id() } })).await;

    assert_eq!(world.run_of(&transaction).await["state"], "succeeded");
    assert!(text_of(&office.post.sent()[0]).contains("filename=\"photo.png\""));
}

#[tokio::test]
async fn an_attachment_of_the_mail_that_started_the_run_goes_out_unless_its_hook_keeps_none() {
    for (attachments, code) in [(true, Value::Null), (false, json!("unknown_attachment"))] {
        let office = office(json!([])).await;
        let hook = office.world.mail_hook(json!({ "attachments": attachments })).await;
        // Named by its digest, which is there with and without the bytes.
        let named = json!([{ "blob": "sha256/{{steps.1.attributes.email.attachments.0.sha256}}" }]);
        let workflow = office.world.workflow(workflow_of("files", &hook.event, steps(&named))).await;
        // Whoever writes the mail may know the digest of a file that somebody else has sent.
        file(&office.world, "known.txt", "text/plain", b"known").await;
        let mail = "From: a@shop.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/html\r\n\r\n<script type=\"application/ld+json\">{\"a\":1}</script>\r\n\
            --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=note.txt\r\n\r\nknown\r\n--b--\r\n";

        office.world.mailed(&hook, "m1", mail).await;

        let [run] = &office.world.runs(&workflow).await[..] else { panic!("not one run") };
        assert_eq!(run["attributes"]["error"]["code"], code, "{run}");
        let sent = office.post.sent();
        assert_eq!(sent.len(), usize::from(attachments));
        assert!(sent.iter().all(|mail| text_of(mail).contains("filename=\"note.txt\"")));
    }
}

#[tokio::test]
async fn all_files_of_a_list_go_out_at_once() {
    let office = office(json!("/#steps.1.attributes.data.files")).await;
    let files = [
        file(&office.world, "a.txt", "text/plain", b"a").await,
        file(&office.world, "b.txt", "text/plain", b"b").await,
    ];

    let run = office.run_with_files(json!({ "files": files }), vec![stored(b"a"), stored(b"b")]).await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let text = text_of(&office.post.sent()[0]);
    assert!(text.contains("a.txt") && text.contains("b.txt"), "{text}");
}

#[tokio::test]
async fn a_blob_that_did_not_come_in_with_the_run_is_refused() {
    let digest = sha256(b"secret");
    for blob in [
        json!(format!("sha256/{digest}")),
        json!({ "blob": format!("sha256/{digest}") }),
        json!(format!("sha256/{}", digest.to_uppercase())),
        json!(digest),
        json!("sha256/"),
        json!(""),
    ] {
        let office = office(json!([{ "blob": blob }])).await;
        file(&office.world, "secret.txt", "text/plain", b"secret").await;
        let other = file(&office.world, "a.txt", "text/plain", b"a").await;

        let run = office.run_with_files(json!({ "files": [other], "text": digest }), vec![stored(b"a")]).await;

        assert_eq!(run["error"]["code"], "unknown_attachment", "{blob}");
        assert!(office.post.sent().is_empty());
    }
}

#[tokio::test]
async fn a_file_object_that_the_sender_wrote_is_no_file_of_the_transaction() {
    for attachments in
        [json!("/#steps.1.attributes.data.file"), json!([{ "blob": "/#steps.1.attributes.data.file.blob" }])]
    {
        let office = office(attachments).await;
        let secret = file(&office.world, "secret.txt", "text/plain", b"secret").await;
        let form = format!("file[blob]=sha256%2F{}&file[size]=6", sha256(b"secret"));
        let of_json = office.world.arrive(&office.hook, json!({ "file": secret })).await;
        let of_form =
            office.world.post_as(&office.hook, "application/x-www-form-urlencoded", form).await.expect(202).id();
        office.world.work().await;

        for transaction in [of_json, of_form] {
            let run = office.world.run_of(&transaction).await;
            assert_eq!(run["error"]["code"], "unknown_attachment", "{run}");
        }
        assert!(office.post.sent().is_empty());
    }
}

#[tokio::test]
async fn too_many_files_or_bytes_are_refused_and_so_is_a_file_that_is_gone() {
    let digest = "ab".repeat(32);
    // What the data says of its size counts for nothing.
    let file = json!({ "fileName": "a", "contentType": "image/png", "size": 1, "blob": format!("sha256/{digest}") });
    for (count, size, code) in [
        (2, 5, "attachment_gone"),
        (2, 3_500_000, "attachment_gone"),
        (2, 3_500_001, "mail_too_large"),
        (21, 1, "too_many_attachments"),
    ] {
        let office = office(json!("/#steps.1.attributes.data.files")).await;
        let files = vec![StoredFile { sha256: digest.clone(), size }];
        let run = office.run_with_files(json!({ "files": vec![file.clone(); count] }), files).await;
        assert_eq!(run["error"]["code"], code);
        assert!(office.post.sent().is_empty());
    }
}

/// Blobs that are not to be had.
struct DownBlobs;

#[async_trait]
impl Blobs for DownBlobs {
    async fn put(&self, _sha256: &str, _bytes: Bytes) -> Result<(), Unavailable> {
        Err(Unavailable { port: "blobs", cause: "they were told to fail".to_owned() })
    }

    async fn put_pieces(&self, _sha256: &str, _length: u64, _pieces: Pieces) -> Result<(), Unavailable> {
        Err(Unavailable { port: "blobs", cause: "they were told to fail".to_owned() })
    }

    async fn find(&self, _sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        Err(Unavailable { port: "blobs", cause: "they were told to fail".to_owned() })
    }
}

#[tokio::test]
async fn blobs_that_are_not_to_be_had_now_make_the_message_come_again_with_nothing_claimed() {
    let office = office(json!("/#steps.1.attributes.data.file")).await;
    let form = "--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\na\r\n--b--\r\n";
    office.world.post_as(&office.hook, "multipart/form-data; boundary=b", form).await.expect(202);
    let message = office.world.queue.receive(1, 60).remove(0).body;
    let mailing = Mailing {
        post: office.post.clone(),
        blobs: Arc::new(DownBlobs),
        domain: None,
        from: Some("orders@shop.example".to_owned()),
    };
    let down =
        Executor::new(office.store.clone(), office.world.queue.clone(), office.world.clock.clone()).with_post(mailing);

    assert!(down.execute(&message).await.is_err());
    office.executor().execute(&message).await.unwrap();

    assert_eq!(office.post.sent().len(), 1);
}

/// A post that lets others go on while a mail is handed over, and counts how many mails are on their way at most.
struct CountingPost {
    inner: Arc<MemoryPost>,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Post for CountingPost {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        self.most.fetch_max(1 + self.now.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let posted = self.inner.send(mail).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        posted
    }
}

#[tokio::test]
async fn one_mail_with_files_is_on_its_way_at_a_time_and_holds_up_no_others() {
    for (attachments, most) in [(json!("/#steps.1.attributes.data.file"), 1), (json!([]), 4), (Value::Null, 4)] {
        let office = office(attachments).await;
        let post =
            Arc::new(CountingPost { inner: office.post.clone(), now: AtomicUsize::new(0), most: AtomicUsize::new(0) });
        let executor = office.executor_over(office.store.clone(), post.clone());
        for note in ["a", "b", "c", "d"] {
            let form =
                format!("--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\n{note}\r\n--b--\r\n");
            office.world.post_as(&office.hook, "multipart/form-data; boundary=b", form).await.expect(202);
        }

        let deliveries = office.world.queue.receive(10, 60);
        let [a, b, c, d] = &deliveries[..] else { panic!("{} deliveries", deliveries.len()) };
        let executed = tokio::join!(
            executor.execute(&a.body),
            executor.execute(&b.body),
            executor.execute(&c.body),
            executor.execute(&d.body),
        );

        let executed = <[_; 4]>::from(executed);
        assert!(executed.iter().all(Result::is_ok), "{executed:?}");
        assert_eq!((office.post.sent().len(), post.most.load(Ordering::SeqCst)), (4, most));
    }
}
