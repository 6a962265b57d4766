//! Files that go out with a mail.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use service::{
    Executor,
    actions::Mailing,
    ports::{Blobs, Pieces, Unavailable},
};
use sha2::{Digest, Sha256};
use tests::world::World;

use super::{Office, text_of};

/// A file object as a multipart form gives one, with its bytes among the blobs.
async fn file(world: &World, name: &str, content_type: &str, bytes: &'static [u8]) -> Value {
    let sha256 = hex::encode(Sha256::digest(bytes));
    world.blobs.put(&sha256, Bytes::from_static(bytes)).await.unwrap();
    json!({ "fileName": name, "contentType": content_type, "size": bytes.len(), "sha256": sha256, "blob": format!("sha256/{sha256}") })
}

async fn office(attachments: Value) -> Office {
    Office::with_params(
        json!({ "to": "ann@example.com", "subject": "Files", "text": "Here.", "attachments": attachments }),
    )
    .await
}

#[tokio::test]
async fn files_of_the_transaction_go_out_byte_by_byte() {
    let office = office(json!([
        "/#steps.1.attributes.data.invoice",
        { "blob": "/#steps.1.attributes.data.photo", "fileName": "größe.png" },
        { "blob": "/#steps.1.attributes.data.notes.0.blob", "contentType": "text/x-log" },
    ]))
    .await;
    let data = json!({
        "invoice": file(&office.world, "invoice.pdf", "application/pdf", b"%PDF").await,
        "photo": file(&office.world, "IMG_1.png", "image/png", b"\x89PNG\r\n").await,
        "notes": [file(&office.world, "../notes\r\n.txt", "text/plain; charset=utf-8", b"a\rb\0\n").await],
    });

    let run = office.run(data).await;

    assert_eq!(run["state"], "succeeded", "{run}");
    let text = text_of(&office.post.sent()[0]);
    for part in [
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"invoice.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n",
        "Content-Type: image/png\r\nContent-Disposition: attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0K\r\n",
        "Content-Type: text/x-log\r\nContent-Disposition: attachment; filename=\"notes.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ1iAAo=\r\n",
    ] {
        assert!(text.contains(part), "{part}\n---\n{text}");
    }
}

#[tokio::test]
async fn all_files_of_a_list_go_out_at_once() {
    let office = office(json!("/#steps.1.attributes.data.files")).await;
    let files = [
        file(&office.world, "a.txt", "text/plain", b"a").await,
        file(&office.world, "b.txt", "text/plain", b"b").await,
    ];

    assert_eq!(office.run(json!({ "files": files })).await["state"], "succeeded");

    let text = text_of(&office.post.sent()[0]);
    assert!(text.contains("a.txt") && text.contains("b.txt"), "{text}");
}

#[tokio::test]
async fn a_blob_that_did_not_come_in_with_the_run_is_refused() {
    let digest = hex::encode(Sha256::digest(b"secret"));
    for blob in
        [json!(format!("sha256/{digest}")), json!({ "blob": format!("sha256/{digest}") }), json!("sha256/"), json!("")]
    {
        let office = office(json!([{ "blob": blob }])).await;
        file(&office.world, "secret.txt", "text/plain", b"secret").await;
        let other = file(&office.world, "a.txt", "text/plain", b"a").await;

        let run = office.run(json!({ "files": [other], "text": digest })).await;

        assert_eq!(run["error"]["code"], "unknown_attachment", "{blob}");
        assert!(office.post.sent().is_empty());
    }
}

#[tokio::test]
async fn too_many_files_or_bytes_are_refused_and_so_is_a_file_that_is_gone() {
    let digest = "ab".repeat(32);
    let file = |size: u64| json!({ "fileName": "a", "contentType": "image/png", "size": size, "blob": format!("sha256/{digest}") });
    for (files, code) in [
        (json!([file(5), file(5)]), "attachment_gone"),
        (json!([file(7_000_000), file(1)]), "mail_too_large"),
        (json!(vec![file(1); 21]), "too_many_attachments"),
    ] {
        let office = office(json!("/#steps.1.attributes.data.files")).await;
        assert_eq!(office.run(json!({ "files": files })).await["error"]["code"], code);
        assert!(office.post.sent().is_empty());
    }
}

#[tokio::test]
async fn bytes_are_counted_as_they_are_and_not_as_they_are_said_to_be() {
    static LARGE: [u8; 7_000_001] = [0; 7_000_001];
    let office = office(json!("/#steps.1.attributes.data.file")).await;
    let mut file = file(&office.world, "a", "image/png", &LARGE).await;
    file["size"] = json!(1);
    assert_eq!(office.run(json!({ "file": file })).await["error"]["code"], "mail_too_large");
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
    let file = file(&office.world, "a.txt", "text/plain", b"a").await;
    let message = office.message(json!({ "file": file })).await;
    let mailing = Mailing {
        post: office.post.clone(),
        blobs: Arc::new(DownBlobs),
        domain: None,
        from: Some("orders@shop.example".to_owned()),
    };
    let down = Executor::new(office.store.clone(), office.world.clock.clone()).with_post(mailing);

    assert!(down.execute(&message).await.is_err());
    office.executor().execute(&message).await.unwrap();

    assert_eq!(office.post.sent().len(), 1);
}
