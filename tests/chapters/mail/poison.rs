//! Mails that mean no good: each is a result with a reason, and never an error that would bring it again.

use serde_json::{Value, json};
use tests::{
    mail::{corpus, corpus_file, delivery, html_mail, word},
    world::World,
};

const ORDER: &str = "<script type=\"application/ld+json\">{\"orderNumber\":\"1\"}</script>";

/// Sends `mail` to a hook that asks for everything, and gives what became of it with its data.
async fn taken(world: &World, name: &str, mail: impl Into<bytes::Bytes>) -> (String, Value) {
    let hook = world.mail_hook(json!({ "bodies": ["text", "html"], "decodeEntities": true })).await;
    let outcomes = world.mail(&delivery("m1", &[&hook.address]), mail).await;
    let outcomes = outcomes.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    world.work().await;
    let transaction = world.transaction(&outcomes[0]).await;
    (word(outcomes[0].what), transaction.attribute("data"))
}

fn headers(count: usize, of: impl Fn(usize) -> String) -> String {
    (0..count).map(of).collect()
}

fn multipart(parts: impl Iterator<Item = String>) -> String {
    let parts: String = parts.map(|part| format!("--b\r\n{part}\r\n")).collect();
    format!("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n")
}

fn html_part(html: &str) -> String {
    format!("Content-Type: text/html\r\n\r\n{html}")
}

/// Bombs, by name; after what each has in it, the order may or may not be reached.
fn bombs() -> Vec<(&'static str, String)> {
    let nested_mail = "Content-Type: message/rfc822\r\n\r\n";
    let nested_multipart = |depth: usize| {
        let open: String =
            (0..depth).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
        format!("MIME-Version: 1.0\r\n{open}{}", html_part(ORDER))
    };
    vec![
        ("200,000 nested mails", nested_mail.repeat(200_000) + &html_mail("<1@x>", ORDER)),
        ("10,000 nested multiparts", nested_multipart(10_000)),
        ("10,000 parts", multipart((0..10_000).map(|_| html_part("<p></p>")))),
        (
            "10,000 parts with JSON",
            multipart((0..10_000).map(|_| "Content-Type: application/json\r\n\r\n{\"a\":{}}".to_owned())),
        ),
        ("a million header lines", headers(1_000_000, |_| "X: y\r\n".to_owned()) + &html_mail("<1@x>", ORDER)),
        ("a header line of 8 MB", format!("X: {}\r\n{}", "y".repeat(8_000_000), html_mail("<1@x>", ORDER))),
        ("endless folding", format!("X: y\r\n{}{}", " y\r\n".repeat(1_000_000), html_mail("<1@x>", ORDER))),
        ("a header of addresses", format!("To: {}\r\n{}", "a@b.example, ".repeat(200_000), html_mail("<1@x>", ORDER))),
        (
            "encoded words",
            format!("Subject: {}\r\n{}", "=?utf-8?q?=C3=A9?= ".repeat(200_000), html_mail("<1@x>", ORDER)),
        ),
        (
            "continued parameters",
            multipart((0..2).map(|_| {
                format!("Content-Type: application/pdf;{} x=y\r\n\r\nz", headers(1_000, |n| format!(" name*{n}*=%41;")))
            })),
        ),
        (
            "boundary reuse",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(10_000)
            ),
        ),
        (
            "a boundary that is never closed",
            format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{}", html_part(ORDER)),
        ),
        (
            "an empty boundary",
            format!("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n{}", "--\r\n".repeat(100_000)),
        ),
        ("10,000 scripts", html_mail("<1@x>", &ORDER.repeat(10_000))),
        ("scripts that never end", html_mail("<1@x>", &"<script type=\"application/ld+json\">".repeat(50_000))),
        ("100,000 tags within each other", html_mail("<1@x>", &("<div>".repeat(100_000) + ORDER))),
        (
            "100,000 items within each other",
            html_mail("<1@x>", &"<div itemprop=a itemscope itemtype=http://schema.org/X>".repeat(100_000)),
        ),
        ("an attribute of 1 MB", html_mail("<1@x>", &format!("<p title=\"{}\"></p>{ORDER}", "x".repeat(1_000_000)))),
        (
            "depth in one block",
            html_mail(
                "<1@x>",
                &format!("<script type=\"application/ld+json\">{}</script>{ORDER}", "[{\"a\":".repeat(50_000)),
            ),
        ),
        (
            "entities in JSON",
            html_mail(
                "<1@x>",
                &format!(
                    "<script type=\"application/ld+json\">{{&quot;a&quot;:&quot;{}&quot;}}</script>",
                    "&amp;".repeat(60_000)
                ),
            ),
        ),
        ("utf-7", html_mail("<1@x>", ORDER).replace("utf-8", "utf-7")),
        ("utf-16", html_mail("<1@x>", ORDER).replace("utf-8", "utf-16")),
        ("x-user-defined", html_mail("<1@x>", ORDER).replace("utf-8", "x-user-defined")),
        ("an unknown charset", html_mail("<1@x>", ORDER).replace("utf-8", "\"\u{1}nonsense\"")),
        (
            "base64 garbage",
            html_mail("<1@x>", &"=!?".repeat(100_000))
                .replace("MIME-Version", "Content-Transfer-Encoding: base64\r\nMIME-Version"),
        ),
        (
            "soft breaks",
            html_mail("<1@x>", &"=\r\n".repeat(300_000))
                .replace("MIME-Version", "Content-Transfer-Encoding: quoted-printable\r\nMIME-Version"),
        ),
        ("NUL bytes", "\0".repeat(1_000_000)),
        ("carriage returns", "\r".repeat(1_000_000)),
        ("line feeds", "\n".repeat(1_000_000)),
        ("colons", ":".repeat(1_000_000)),
        ("nothing", String::new()),
        ("one byte", "-".to_owned()),
    ]
}

#[tokio::test]
async fn bombs_are_read_as_far_as_the_limits_let_them() {
    let world = World::new().await;
    for (name, bomb) in bombs() {
        let (what, _) = taken(&world, name, bomb).await;
        assert!(["fired", "recorded message_too_large"].contains(&what.as_str()), "{name}: {what}");
    }
}

#[tokio::test]
async fn what_was_read_before_a_limit_counts() {
    let world = World::new().await;
    let with = |parts: usize| multipart([html_part(ORDER)].into_iter().chain((0..parts).map(|_| html_part("<p></p>"))));
    for (name, mail) in [
        ("parts", with(10_000)),
        (
            "scripts",
            html_mail(
                "<1@x>",
                &(ORDER.to_owned() + &"<script type=\"application/ld+json\">{}</script>".repeat(10_000)),
            ),
        ),
        (
            "depth",
            html_mail(
                "<1@x>",
                &format!("<script type=\"application/ld+json\">{}</script>{ORDER}", "[".repeat(100_000)),
            ),
        ),
        ("cut off", format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{}", html_part(ORDER))),
        (
            "header lines",
            format!(
                "{}{}",
                html_mail("<1@x>", ORDER).split("\r\n\r\n").next().unwrap(),
                format_args!("\r\n{}\r\n{ORDER}", "X: y\r\n".repeat(100_000))
            ),
        ),
    ] {
        assert_eq!(taken(&world, name, mail).await, ("fired".to_owned(), json!({ "orderNumber": "1" })), "{name}");
    }
}

#[tokio::test]
async fn a_note_says_what_was_left_out_past_a_limit() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let parts = [html_part(ORDER)].into_iter().chain((0..2_000).map(|_| html_part("<p></p>")));
    let transaction = world.mailed(&hook, "m1", multipart(parts)).await;
    let notes = transaction.body["meta"]["trace"]["notes"].as_array().unwrap().clone();
    assert!(notes.iter().any(|note| note["code"] == "parts_left_out"), "{notes:?}");
}

#[tokio::test]
async fn the_malformed_mails_of_the_corpus_are_results_also_where_everything_is_asked_for() {
    let world = World::new().await;
    let corpus = corpus();
    let mails = corpus["mails"].as_array().unwrap();
    let files: Vec<&str> =
        mails.iter().filter(|mail| mail["grade"] == "robust").map(|mail| mail["file"].as_str().unwrap()).collect();
    assert_eq!(files.len(), 39);
    for file in files {
        let (what, _) = taken(&world, file, corpus_file(file)).await;
        assert_eq!(what, "fired", "{file}");
        // Cut off anywhere, it is a result as well.
        let whole = corpus_file(file);
        for tenth in 0..10 {
            taken(&world, file, whole.slice(..whole.len() * tenth / 10)).await;
        }
    }
}

#[tokio::test]
async fn forty_megabytes_are_read_and_their_file_is_kept() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let line = "QUJD".repeat(19) + "\r\n";
    let file = line.repeat(38 * 1024 * 1024 / line.len());
    let parts = [
        html_part(ORDER),
        format!(
            "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}"
        ),
    ];
    let transaction = world.mailed(&hook, "m1", multipart(parts.into_iter())).await;
    let attachment = &transaction.attribute("email")["attachments"][0];
    assert_eq!(attachment["size"], json!(file.len() / line.len() * 19 * 3));
    assert_eq!(world.blobs.count(), 1);
}

#[tokio::test]
async fn broken_texts_in_headers_are_shown_without_control_characters() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let headers = "From: =?utf-8?q?a=00=0D=0Ab?= <a\u{1}@shop.example>\r\nSubject: =?utf-8?q?x=00=1B[31m=0D=0Ay?=\r\nMessage-ID: <1@x>\r\n";
    let mail = format!("{headers}Content-Type: text/html\r\n\r\n{ORDER}");
    let email = world.mailed(&hook, "m1", mail).await.attribute("email");
    for pointer in ["/from/0/name", "/from/0/address", "/subject"] {
        let text = email.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert!(!text.chars().any(char::is_control), "{pointer}: {text:?}");
    }
}
