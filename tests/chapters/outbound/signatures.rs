//! What an endpoint can check, and with which secret.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use service::ports::OutgoingCall;
use tests::world::World;
use verify::{Arrival, Scheme, Settings, Verified, Verifier};

use super::{ENDPOINT, header, publish, shown, told, webhook};

fn verify(scheme: &Scheme, secret: &str, call: &OutgoingCall, body: &[u8], now: i64) -> Option<Verified> {
    let settings = Settings { secrets: vec![secret.to_owned()], ..Settings::default() };
    let mut headers = HeaderMap::new();
    for header in &call.headers {
        let name: HeaderName = header.name().parse().unwrap();
        headers.append(name, HeaderValue::from_str(header.value()).unwrap());
    }
    let arrival = Arrival { method: "POST", url: &call.url, headers: &headers, body };
    Verifier::new(scheme, &settings).unwrap().verify(&arrival, &[], now).ok()
}

/// As a hook of ours knows Kustomer.
fn kustomers() -> Arc<Scheme> {
    service::senders::scheme("kustomer").unwrap()
}

#[tokio::test]
async fn every_attempt_is_signed_by_both_ways_over_its_very_bytes() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 500, &[], "");
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    assert!(made.secret.starts_with("whsec_"));
    publish(&world).await;
    world.work().await;
    world.clock.pass_seconds(60);
    world.work().await;

    let calls = told(&world, ENDPOINT);
    assert_eq!(calls.len(), 2);
    let standard = Scheme::general("standard-webhooks").unwrap();
    for call in &calls {
        assert_eq!((call.method.name(), header(call, "content-type")), ("POST", "application/json".to_owned()));
        let sent_at: i64 = header(call, "webhook-timestamp").parse().unwrap();
        let body = call.body.as_ref().unwrap().bytes.clone();
        let verified = verify(&standard, &made.secret, call, &body, sent_at).unwrap();
        assert_eq!((verified.id, verified.timestamp), (Some(header(call, "webhook-id")), Some(sent_at)));
        assert!(verify(&kustomers(), &made.secret, call, &body, sent_at).is_some());
        let tampered = [&body[..], b" "].concat();
        assert_eq!(verify(&standard, &made.secret, call, &tampered, sent_at), None);
        assert_eq!(verify(&kustomers(), &made.secret, call, &tampered, sent_at), None);
        assert_eq!(verify(&standard, "whsec_b3RoZXI=", call, &body, sent_at), None);
    }
    let seconds = |call: &OutgoingCall| header(call, "webhook-timestamp").parse::<i64>().unwrap();
    assert_eq!(seconds(&calls[1]) - seconds(&calls[0]), 60);
    assert_eq!(header(&calls[0], "webhook-id"), header(&calls[1], "webhook-id"));
    assert!(calls[0].body == calls[1].body);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_both_sign_until_the_old_ones_time_is_up() {
    let world = World::new().await;
    world.calls.answer(ENDPOINT, 200, &[], "");
    let made = webhook(&world, ENDPOINT, &["shop.paid"]).await;
    let rotated = world.api("POST", &format!("{}/rotate-secret", made.path), json!({ "overlapSeconds": 60 })).await;
    let newer = rotated.expect(200).attribute("secret").as_str().unwrap().to_owned();
    assert_ne!(newer, made.secret);
    for path in ["/v1/webhooks".to_owned(), made.path.clone()] {
        let text = world.get(&path).await.expect(200).text;
        assert!(!text.contains(&made.secret) && !text.contains(&newer) && !text.contains("\"secret\""), "{text}");
    }
    let masked = format!("whsec_••••{}", &newer[newer.len() - 4..]);
    assert_eq!(shown(&world, &made).await["maskedSecret"], json!(masked));
    assert_eq!(shown(&world, &made).await["previousSecretUntil"], json!("2026-11-22T12:01:00.000Z"));

    let standard = Scheme::general("standard-webhooks").unwrap();
    for (seconds, signs) in [(59, true), (1, false)] {
        world.clock.pass_seconds(seconds);
        publish(&world).await;
        world.work().await;
        let call = told(&world, ENDPOINT).pop().unwrap();
        let (body, at) = (call.body.clone().unwrap().bytes, header(&call, "webhook-timestamp").parse().unwrap());
        assert!(verify(&standard, &newer, &call, &body, at).is_some());
        assert_eq!(verify(&standard, &made.secret, &call, &body, at).is_some(), signs, "{seconds}");
        assert_eq!(header(&call, "webhook-signature").split(' ').count(), if signs { 2 } else { 1 });
        assert!(verify(&kustomers(), &newer, &call, &body, at).is_some());
    }
    assert_eq!(shown(&world, &made).await["previousSecretUntil"], json!(null));
}
