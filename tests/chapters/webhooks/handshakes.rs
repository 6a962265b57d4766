//! Questions by which providers find out whether an address expects them.

use apps::samples;
use serde_json::{Value, json};
use tests::{
    Answer,
    providers::{BASE, Connected, Letter, Sender, WebHook},
    world::World,
};

use super::post;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";
const SUBSCRIBE_URL: &str =
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=example";
const NOON_SECONDS: i64 = 1_795_348_800;

async fn asked(world: &World, hook: &WebHook, query: &str) -> Answer {
    world.send("GET", &format!("{}?{query}", hook.path), &[], "").await
}

async fn meta_hook(world: &World) -> WebHook {
    let auth = json!({ "scheme": "meta", "secrets": ["s"], "verifyToken": "to ken&" });
    WebHook::new(world, json!({ "auth": auth })).await
}

#[tokio::test]
async fn meta_gets_its_challenge_back_for_the_right_token() {
    let world = World::new().await;
    let hook = meta_hook(&world).await;
    for token in ["to%20ken%26", "to+ken%26"] {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        let answer = asked(&world, &hook, &query).await.expect(200);
        assert_eq!(answer.text, "1158201444");
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn meta_gets_nothing_back_for_another_token_and_no_page_of_its_own_ever() {
    let world = World::new().await;
    let hook = meta_hook(&world).await;
    let long = "1".repeat(513);
    for (token, challenge) in [
        ("wrong", "1"),
        ("", "1"),
        ("to%20ken", "1"),
        ("TO%20KEN%26", "1"),
        ("to%20ken%26", "%3Cscript%3E"),
        ("to%20ken%26", "a%20b"),
        ("to%20ken%26", "a%0d%0ab"),
        ("to%20ken%26", "%C3%A9"),
        ("to%20ken%26", long.as_str()),
    ] {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge={challenge}");
        let answer = asked(&world, &hook, &query).await;
        assert_eq!((answer.status, answer.code()), (403, "bad_verify_token"), "{query}: {answer:?}");
    }
    assert_eq!(hook.refusals(&world).await[0]["code"], "bad_verify_token");
    // What is no subscription, or is two at once, is a request like any other, and Meta sends none by `GET`.
    let twice = "hub.mode=subscribe&hub.verify_token=wrong&hub.verify_token=to%20ken%26&hub.challenge=1";
    assert_ne!(asked(&world, &hook, twice).await.status, 200);
    asked(&world, &hook, "hub.mode=unsubscribe&hub.verify_token=to%20ken%26&hub.challenge=1").await.expect(405);
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn a_hook_without_a_verify_token_confirms_nothing() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "meta", "secrets": ["s"] } })).await;
    asked(&world, &hook, "hub.mode=subscribe&hub.verify_token=&hub.challenge=1").await.expect(403);
    asked(&world, &hook, "hub.mode=subscribe&hub.challenge=1").await.expect(403);
}

#[tokio::test]
async fn linkedin_is_proved_that_the_secret_is_known() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "linkedin", "secrets": ["secret"] } })).await;
    let code = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    let answer = asked(&world, &hook, &format!("challengeCode={code}&applicationId=1")).await.expect(200);
    // HMAC-SHA256 of the code with the key `secret`, computed with a second tool.
    let proof = "9585d359e64d6a2013e0cf377f702b7141313246286c6891f22e3bfcc3938f65";
    assert_eq!(answer.body, json!({ "challengeCode": code, "challengeResponse": proof }));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn no_challenge_makes_a_signature_of_a_delivery() {
    let world = World::new().await;
    let hook = WebHook::new(&world, json!({ "auth": { "scheme": "linkedin", "secrets": ["secret"] } })).await;
    let oracle = asked(&world, &hook, "challengeCode=hmacsha256%3D%5B1%2C2%5D").await;
    let response = oracle.body["challengeResponse"].as_str().unwrap_or_default().to_owned();
    let forged = post(&world, &hook, &[("x-li-signature", &response)], "[1,2]").await;
    assert_ne!(oracle.status, 200);
    assert_eq!((forged.status, world.queue.depth()), (401, 0), "a stranger had the address sign a body: {oracle:?}");
}

#[tokio::test]
async fn a_secret_that_signs_by_another_scheme_is_proved_to_nobody() {
    let world = World::new().await;
    let auth = json!({ "scheme": "github", "secrets": ["secret"] });
    let hook = WebHook::new(&world, json!({ "auth": auth, "app": "linkedin" })).await;
    let answer = asked(&world, &hook, "challengeCode=12345").await.expect(405);
    assert!(!answer.text.contains("challengeResponse"), "{answer:?}");
}

#[tokio::test]
async fn slack_gets_its_challenge_back_only_when_it_signed_the_question() {
    let world = World::new().await;
    let sample = samples::silent().into_iter().find(|sample| sample.app == "slack").unwrap();
    let Connected { letter, hook, sender } = Connected::new(&world, sample).await;
    let answer = letter.send(&world).await.expect(200);
    assert_eq!(answer.text, "exampleChallenge3eZbrw1aB10");
    let unsigned = letter.without("x-slack-signature");
    for forged in [unsigned.clone(), unsigned.and("x-slack-signature", "v0=00"), letter.saying(b"{}".to_vec())] {
        let answer = forged.send(&world).await.expect(401);
        assert!(!answer.text.contains("exampleChallenge"), "{answer:?}");
    }
    let page = letter.saying(json!({ "type": "url_verification", "challenge": "<script>" }).to_string());
    let page = sender.sign(&page.without("x-slack-signature").without("x-slack-request-timestamp"), "1", NOON_SECONDS);
    let answer = page.send(&world).await;
    assert!(!answer.text.contains("<script>"), "{answer:?}");
    assert_eq!(hook.refusals(&world).await.len(), 3);
}

#[tokio::test]
async fn pings_are_answered_when_signed_and_become_nothing() {
    for app in ["cal", "github"] {
        let world = World::new().await;
        let sample = samples::silent().into_iter().find(|sample| sample.app == app).unwrap();
        let Connected { letter, .. } = Connected::new(&world, sample).await;
        letter.send(&world).await.expect(200);
        letter.saying(b"{}".to_vec()).send(&world).await.expect(401);
        assert_eq!(world.queue.depth(), 0, "{app}");
    }
}

/// A hook for the topic, and what signs as Amazon does.
async fn sns_hook(world: &World) -> (WebHook, Sender) {
    let sample = samples::find("sns.notification.receive").unwrap();
    let Connected { mut sender, .. } = Connected::new(world, sample).await;
    world.clock.set(domain::Timestamp::parse(tests::world::NOON).unwrap());
    sender.settings.topic_arns = vec![TOPIC.to_owned()];
    let hook = WebHook::new(world, json!({ "auth": { "scheme": "sns", "topicArns": [TOPIC] } })).await;
    (hook, sender)
}

fn confirmation(hook: &WebHook, sender: &Sender, subscribe_url: &str) -> Letter {
    let body = json!({
        "Type": "SubscriptionConfirmation", "Token": "example", "Message": "You have chosen to subscribe.",
        "SubscribeURL": subscribe_url, "SigningCertURL": tests::providers::CERTIFICATE_URL,
    });
    sender.sign(&Letter::unsigned(&hook.path, &body.to_string()), "m-1", NOON_SECONDS)
}

fn fetched(world: &World) -> Vec<String> {
    world.web.asked().into_iter().map(|request| request.url).collect()
}

#[tokio::test]
async fn a_subscription_of_a_named_topic_is_confirmed_at_amazons_own_address() {
    let world = World::new().await;
    let (hook, sender) = sns_hook(&world).await;
    world.web.put(SUBSCRIBE_URL, 200, "<ConfirmSubscriptionResponse/>");
    confirmation(&hook, &sender, SUBSCRIBE_URL).send(&world).await.expect(200);
    assert_eq!(fetched(&world), [tests::providers::CERTIFICATE_URL, SUBSCRIBE_URL]);
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn a_subscription_that_cannot_be_confirmed_is_asked_for_again() {
    let world = World::new().await;
    let (hook, sender) = sns_hook(&world).await;
    confirmation(&hook, &sender, SUBSCRIBE_URL).send(&world).await.expect(503);
    world.web.put(SUBSCRIBE_URL, 500, "");
    confirmation(&hook, &sender, SUBSCRIBE_URL).send(&world).await.expect(503);
    world.web.put(SUBSCRIBE_URL, 200, "");
    confirmation(&hook, &sender, SUBSCRIBE_URL).send(&world).await.expect(200);
}

#[tokio::test]
async fn no_other_address_is_ever_fetched_for_a_subscription() {
    let world = World::new().await;
    let (hook, sender) = sns_hook(&world).await;
    for url in [
        "https://evil.example/?Action=ConfirmSubscription",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
        "https://evil.example/sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://user@sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com:8443/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        "https://169.254.169.254/latest/meta-data/",
    ] {
        let answer = confirmation(&hook, &sender, url).send(&world).await;
        assert_eq!((answer.status, answer.code()), (403, "bad_subscription"), "{url}: {answer:?}");
    }
    // And none at all for a message that nobody signed, or of a topic that is not named.
    let signed = confirmation(&hook, &sender, SUBSCRIBE_URL);
    let mut forged: Value = serde_json::from_slice(&signed.body).unwrap();
    forged["Token"] = json!("other");
    signed.saying(forged.to_string()).send(&world).await.expect(401);
    let mut other = sender;
    other.settings.topic_arns = vec![format!("{TOPIC}-other")];
    confirmation(&hook, &other, SUBSCRIBE_URL).send(&world).await.expect(401);
    assert_eq!(fetched(&world), [tests::providers::CERTIFICATE_URL]);
    assert!(hook.path.len() > BASE.len());
}
