//! Posts to a form hook, from their event to what they leave behind.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{lambda::Deployment, world::tutorial_order};

use super::BINARIES;

#[tokio::test]
async fn a_posted_order_becomes_an_order_on_a_new_customers_timeline() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;

    let transaction = deployment.post(&hook, tutorial_order().to_string()).await.expect(202).id();
    assert_eq!(deployment.work().await, [] as [String; 0]);

    let timeline = deployment.only_timeline().await;
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0]["type"], "kobject.order");
    assert_eq!(timeline[0]["attributes"]["title"], "Online Order");
    assert_eq!(timeline[0]["attributes"]["data"], tutorial_order());
    let answer = deployment.get(&format!("/v1/transactions/{transaction}")).await;
    assert_eq!(answer.attribute("data"), tutorial_order());
    let run = answer.body["meta"]["trace"]["considered"][0]["run"]["id"].as_str().unwrap().to_owned();
    let run = deployment.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(run.attribute("state"), "succeeded");
    let steps = run.attribute("steps");
    let steps: Vec<&Value> = steps.as_array().unwrap().iter().map(|step| &step["id"]).collect();
    assert_eq!(steps, ["1", "find", "create", "first-order"]);
}

#[tokio::test]
async fn numbers_keep_every_digit_on_the_way_through() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_tutorial().await;
    let data = r#"{"email":"test@example.com","orderId":"1","price":"$1","quantity":2,"n":[9007199254740993,1e400,0.1,1.0,-0]}"#;

    let transaction = deployment.post(&hook, data).await.expect(202).id();
    assert_eq!(deployment.work().await, [] as [String; 0]);

    let answer = deployment.get(&format!("/v1/transactions/{transaction}")).await;
    assert!(answer.text.contains(data), "{}", answer.text);
    assert_eq!(answer.attribute("data").to_string(), data);
    assert_eq!(deployment.only_timeline().await[0]["attributes"]["data"].to_string(), data);
}

#[tokio::test]
async fn a_posted_file_and_a_large_value_go_to_the_bucket_and_come_back() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    // Nothing that packs well, so that it is too large for an item.
    let long: String = (0..20_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\
        content-type: image/png\r\n\r\n"
        .to_vec();
    body.extend((0..100_000_u32).map(|n| n as u8));
    body.extend(b"\r\n--b\r\ncontent-disposition: form-data; name=\"long\"\r\n\r\n");
    body.extend(long.as_bytes());
    body.extend(b"\r\n--b--\r\n");
    let content_type = [("content-type", "multipart/form-data; boundary=b")];

    let answer = deployment.send("POST", &hook.path, &content_type, body).await.expect(202);
    deployment.work().await;

    let data = deployment.get(&format!("/v1/transactions/{}", answer.id())).await.attribute("data");
    assert_eq!(data["long"], long);
    assert_eq!(data["picture"]["fileName"], "a.png");
    assert_eq!(data["picture"]["size"], 100_000);
    let blob = data["picture"]["blob"].as_str().unwrap().to_owned();
    let keys = deployment.aws.object_keys();
    assert!(keys.contains(&blob), "{blob} in {keys:?}");
    assert!(keys.len() > 1, "the transaction itself is there too: {keys:?}");
}

#[tokio::test]
async fn an_upload_goes_past_the_functions_into_the_bucket() {
    let deployment = Deployment::start(BINARIES).await;
    let draft = json!({ "title": "Photos", "uploads": { "limitBytes": 5_000_000 } });
    let hook = deployment.api("POST", "/v1/hooks/form", draft).await.expect(201);
    let hash = hook.attribute("hash").as_str().unwrap().to_owned();
    let photo = vec![0; 3_000_000];
    let sha256: String = Sha256::digest(&photo).iter().map(|byte| format!("{byte:02x}")).collect();
    let json_type = [("content-type", "application/json")];
    let draft = json!({ "sha256": sha256, "bytes": 3_000_000, "contentType": "image/png", "name": "a.png" });
    let path = format!("/v1/hooks/form/{hash}/uploads");
    let grant = deployment.send("POST", &path, &json_type, draft.to_string()).await.expect(201);

    let post = json!({ "photo": { "$upload": grant.id() } }).to_string();
    // The bytes are not there yet.
    deployment.send("POST", &format!("/v1/hooks/form/{hash}"), &json_type, post.clone()).await.expect(400);

    let headers = grant.attribute("headers");
    let headers: Vec<(String, String)> = headers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let url = grant.attribute("url").as_str().unwrap().to_owned();
    assert_eq!(deployment.aws.put(&url, &[], photo.clone()), 403);
    assert_eq!(deployment.aws.put(&url, &headers, photo), 200);
    let answer = deployment.send("POST", &format!("/v1/hooks/form/{hash}"), &json_type, post).await.expect(202);
    deployment.work().await;

    let data = deployment.get(&format!("/v1/transactions/{}", answer.id())).await.attribute("data");
    assert_eq!(data["photo"]["size"], 3_000_000);
    assert_eq!(data["photo"]["blob"], format!("sha256/{sha256}"));
}
