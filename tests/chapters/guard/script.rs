//! The script that passes a guard for its page, run by node where the machine has it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tests::world::World;

use super::{challenged_and, data_of, guarded, header};

#[tokio::test]
async fn the_script_is_for_everybody_and_may_be_kept() {
    let world = World::new().await;
    let answer = world.send("GET", "/v1/hooks/form/guard.js", &[], "").await.expect(200);
    assert_eq!(header(&answer, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&answer, "cache-control"), Some("public, max-age=3600"));
    assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
    assert!(answer.text.contains("data-hookwright"));
    assert_eq!(world.send("HEAD", "/v1/hooks/form/guard.js", &[], "").await.expect(200).text, "");
    let answer = world.send("POST", "/v1/hooks/form/guard.js", &[], "").await.expect(405);
    assert_eq!(header(&answer, "allow"), Some("GET, HEAD"));
}

/// What a page with the script sends, told by node; nothing on a machine without it.
async fn page(world: &World, status: u16, challenge: Value) -> Option<Vec<Value>> {
    let script = world.send("GET", "/v1/hooks/form/guard.js", &[], "").await.expect(200).text;
    let input = json!({ "script": script, "challenge": { "status": status, "body": challenge } });
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/guard-page.js");
    let mut node = Command::new("node").arg(fixture).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn a_form_with_the_script_passes_the_guard() {
    let world = World::new().await;
    let hook = guarded(&world, challenged_and("proofOfWorkBits", json!(12))).await;
    let challenge = world.send("GET", &format!("{}/challenge", hook.path), &[], "").await.expect(200);
    let Some(submitted) = page(&world, 200, challenge.body.clone()).await else { return };

    let first = &submitted[0];
    assert_eq!(first["fields"]["hw_token"], challenge.attribute("token"));
    // Asked when the page came, and once more for the second post.
    assert_eq!(first["asked"], json!(vec!["https://hooks.test/v1/hooks/form/HASH/challenge"; 2]));
    let waited = first["waits"][0].as_f64().unwrap();
    assert!((2_000.0..=3_000.0).contains(&waited), "it waits until the hook takes the form: {waited}");

    world.clock.pass_seconds(3);
    let transaction = world.post(&hook, first["fields"].clone()).await.expect(202).id();
    assert_eq!(data_of(&world, &transaction).await, json!({}));
}

#[tokio::test]
async fn a_form_with_the_script_is_sent_also_where_there_is_no_challenge() {
    let world = World::new().await;
    for status in [404, 503] {
        let Some(submitted) = page(&world, status, json!({})).await else { return };
        assert_eq!(submitted.iter().map(|sent| sent["fields"].clone()).collect::<Vec<_>>(), [json!({}), json!({})]);
    }
}
