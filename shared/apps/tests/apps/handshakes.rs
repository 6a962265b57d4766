//! What providers ask of an address: pings, challenges, confirmations.

use apps::{App, Handshake, Input};
use serde_json::{Map, Value, json};

fn app(name: &str) -> &'static App {
    apps::find(name).unwrap()
}

#[track_caller]
fn check(name: &str, headers: &Value, body: &Value, ask: impl Fn(&App, &Input<'_>)) {
    let input = Input { body, headers: headers.as_object().unwrap(), query: &Map::new(), method: "POST" };
    ask(app(name), &input);
}

#[test]
fn a_challenge_of_slack_is_given_back() {
    let body = json!({"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"});
    check("slack", &json!({}), &body, |slack, input| {
        assert_eq!(slack.handshake(), Some(&Handshake::BodyEcho));
        assert_eq!(slack.echo(input).as_deref(), body["challenge"].as_str());
        assert_eq!(slack.events(input), []);
    });
}

#[test]
fn an_event_of_slack_is_no_challenge() {
    let body = json!({"type": "event_callback", "challenge": "x", "event": {"type": "app_mention"}});
    check("slack", &json!({}), &body, |slack, input| assert_eq!(slack.echo(input), None));
}

#[test]
fn pings_are_known() {
    check("cal", &json!({}), &json!({"triggerEvent": "PING"}), |cal, input| assert!(cal.is_ping(input)));
    check(
        "github",
        &json!({"x-github-event": "ping"}),
        &json!({"zen": "Keep it logically awesome."}),
        |github, input| {
            assert!(github.is_ping(input));
        },
    );
    check("stripe", &json!({}), &json!({"type": "ping"}), |stripe, input| assert!(!stripe.is_ping(input)));
}

#[test]
fn the_questions_of_meta_linkedin_and_sns_say_where_their_parts_are() {
    let Some(Handshake::QueryToken { challenge, token, mode }) = app("meta").handshake() else {
        panic!("meta asks by query")
    };
    assert_eq!((challenge.as_str(), token.as_str()), ("hub.challenge", "hub.verify_token"));
    assert_eq!(mode, &("hub.mode".to_owned(), "subscribe".to_owned()));
    assert_eq!(
        app("linkedin").handshake(),
        Some(&Handshake::QueryHmac { challenge: "challengeCode".to_owned(), response: "challengeResponse".to_owned() })
    );
    assert_eq!(app("sns").handshake(), Some(&Handshake::Sns));
}

#[test]
fn twilio_is_answered_in_its_own_language() {
    let reply = app("twilio").reply().unwrap();
    assert_eq!(
        (reply.status, reply.body.as_deref(), reply.content_type.as_deref()),
        (200, Some("<Response></Response>"), Some("text/xml"))
    );
}

#[test]
fn a_time_is_told_in_our_form() {
    let headers =
        json!({"shopify-topic": "app/uninstalled", "shopify-triggered-at": "2026-03-04T10:21:07.482915003-05:00"});
    check("shopify", &headers, &json!({}), |shopify, input| {
        assert_eq!(shopify.occurred_at(input).as_deref(), Some("2026-03-04T15:21:07.482Z"));
    });
}
