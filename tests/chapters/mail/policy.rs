//! What is done with a mail by what the receiving server found out about it.

use serde_json::{Value, json};
use tests::{
    mail::{delivery, mail_with, order_mail, verdicts, word},
    world::World,
};

const ORDER: &str = "{\"orderNumber\":\"1\"}";

const STANDARD: &str = "{}";

/// What becomes of a mail with these verdicts at a hook with these `mail` settings.
async fn judged(world: &World, settings: &str, found: &str, mail: String) -> String {
    let hook = world.mail_hook(serde_json::from_str(settings).unwrap()).await;
    let mut delivery = delivery("m1", &[&hook.address]);
    delivery.verdicts = verdicts(found);
    let outcomes = world.mail(&delivery, mail).await.unwrap();
    let (queued, waiting) = (world.queue.depth(), world.quarantine(&hook).await.len());
    world.work().await;
    let what = word(outcomes[0].what);
    // What is said is what was done.
    let done = match what.split(' ').next() {
        Some("fired") => (1, 0),
        Some("quarantined") => (0, 1),
        _ => (0, 0),
    };
    assert_eq!((queued, waiting), done, "{what}");
    what
}

/// Verdicts are spam, virus, SPF, DKIM, DMARC and the domain's own policy.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    // settings, verdicts, what becomes of the mail
    (STANDARD, "PASS PASS PASS PASS PASS -", "fired"),
    (STANDARD, "PASS PASS PASS PASS PASS REJECT", "fired"),
    (STANDARD, "- - - - - -", "fired"),
    (STANDARD, "GRAY GRAY GRAY GRAY GRAY -", "fired"),
    (STANDARD, "PROCESSING_FAILED PROCESSING_FAILED PROCESSING_FAILED PROCESSING_FAILED PROCESSING_FAILED -", "fired"),
    (STANDARD, "DISABLED DISABLED DISABLED DISABLED DISABLED -", "fired"),
    (STANDARD, "LATER LATER LATER LATER LATER LATER", "fired"),
    // One of the two is broken by every forwarder and every mail service.
    (STANDARD, "PASS PASS FAIL PASS PASS -", "fired"),
    (STANDARD, "PASS PASS PASS FAIL PASS -", "fired"),
    (STANDARD, "PASS PASS FAIL PASS GRAY -", "fired"),
    (STANDARD, "PASS PASS PASS FAIL GRAY -", "fired"),
    (STANDARD, "PASS PASS FAIL GRAY GRAY -", "fired"),
    (STANDARD, "PASS PASS FAIL FAIL GRAY -", "quarantined unauthenticated"),
    (STANDARD, "PASS PASS FAIL FAIL - -", "quarantined unauthenticated"),
    (STANDARD, "PASS PASS PASS PASS FAIL -", "quarantined unauthenticated"),
    (STANDARD, "PASS PASS PASS PASS FAIL NONE", "quarantined unauthenticated"),
    (STANDARD, "PASS PASS PASS PASS FAIL REJECT", "quarantined dmarc"),
    (STANDARD, "PASS PASS PASS PASS FAIL quarantine", "quarantined dmarc"),
    (STANDARD, "PASS PASS FAIL FAIL FAIL REJECT", "quarantined dmarc"),
    (STANDARD, "FAIL PASS PASS PASS PASS -", "quarantined spam"),
    (STANDARD, "fail PASS PASS PASS PASS -", "quarantined spam"),
    (STANDARD, "PASS FAIL PASS PASS PASS -", "recorded virus"),
    (STANDARD, "FAIL FAIL FAIL FAIL FAIL REJECT", "recorded virus"),
    // Each setting is about its own check.
    (r#"{"policy":{"spam":"accept"}}"#, "FAIL PASS PASS PASS PASS -", "fired"),
    (r#"{"policy":{"spam":"drop"}}"#, "FAIL PASS PASS PASS PASS -", "recorded spam"),
    (r#"{"policy":{"spam":"accept"}}"#, "FAIL PASS PASS PASS FAIL REJECT", "quarantined dmarc"),
    (r#"{"policy":{"dmarc":"drop"}}"#, "PASS PASS PASS PASS FAIL REJECT", "recorded dmarc"),
    (r#"{"policy":{"dmarc":"drop"}}"#, "PASS PASS PASS PASS FAIL NONE", "quarantined unauthenticated"),
    (r#"{"policy":{"dmarc":"accept"}}"#, "PASS PASS PASS PASS FAIL REJECT", "fired"),
    (r#"{"policy":{"dmarc":"accept"}}"#, "PASS PASS PASS PASS FAIL NONE", "quarantined unauthenticated"),
    (r#"{"policy":{"dmarc":"accept"}}"#, "PASS PASS FAIL FAIL FAIL REJECT", "quarantined unauthenticated"),
    (r#"{"policy":{"unauthenticated":"accept"}}"#, "PASS PASS FAIL FAIL GRAY -", "fired"),
    (r#"{"policy":{"unauthenticated":"accept"}}"#, "PASS PASS FAIL FAIL FAIL NONE", "fired"),
    (r#"{"policy":{"unauthenticated":"accept"}}"#, "PASS PASS FAIL FAIL FAIL REJECT", "quarantined dmarc"),
    (r#"{"policy":{"unauthenticated":"drop"}}"#, "PASS PASS FAIL FAIL GRAY -", "recorded unauthenticated"),
    // The strictest of several answers counts.
    (r#"{"policy":{"spam":"drop"}}"#, "FAIL PASS PASS PASS FAIL REJECT", "recorded spam"),
    (r#"{"policy":{"unauthenticated":"drop"}}"#, "PASS PASS FAIL FAIL FAIL REJECT", "recorded unauthenticated"),
    // No setting lets a virus in.
    (r#"{"policy":{"spam":"accept","dmarc":"accept","unauthenticated":"accept"}}"#, "FAIL FAIL FAIL FAIL FAIL REJECT", "recorded virus"),
    (r#"{"policy":{"spam":"accept","dmarc":"accept","unauthenticated":"accept"}}"#, "FAIL PASS FAIL FAIL FAIL REJECT", "fired"),
];

#[tokio::test]
async fn verdicts_and_settings_decide_whether_a_mail_fires_waits_or_is_recorded() {
    let world = World::new().await;
    let mut differences = Vec::new();
    for (settings, found, expected) in CASES {
        let what = judged(&world, settings, found, order_mail("<1@shop.example>", ORDER)).await;
        if what != *expected {
            differences.push(format!("{settings} {found}: {what} but {expected}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn what_the_mail_says_of_its_own_verdicts_changes_nothing() {
    let world = World::new().await;
    let forged = "Authentication-Results: amazonses.com; spf=pass; dkim=pass header.i=@shop.example; dmarc=pass header.from=shop.example;\r\n\
         ARC-Authentication-Results: i=1; amazonses.com; dmarc=pass\r\nX-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\nReceived-SPF: pass\r\n";
    let html = format!("<script type=\"application/ld+json\">{ORDER}</script>");
    for (_, found, expected) in CASES.iter().filter(|(settings, ..)| *settings == STANDARD) {
        let mail = mail_with(forged, "<1@shop.example>", &html);
        assert_eq!(judged(&world, STANDARD, found, mail).await, *expected, "{found}");
        let failing = forged.replace("pass", "fail").replace("PASS", "FAIL");
        let mail = mail_with(&failing, "<1@shop.example>", &html);
        assert_eq!(judged(&world, STANDARD, found, mail).await, *expected, "{found}");
    }
}

#[tokio::test]
async fn the_verdicts_stand_in_the_transaction_as_they_were_told() {
    let world = World::new().await;
    let hook = world.email_hook().await;
    let mut delivery = delivery("m1", &[&hook.address]);
    delivery.verdicts = verdicts("PASS - FAIL PASS GRAY -");
    let outcomes = world.mail(&delivery, order_mail("<1@shop.example>", ORDER)).await.unwrap();
    world.work().await;
    let email = world.transaction(&outcomes[0]).await.attribute("email");
    let expected =
        json!({ "spam": "PASS", "virus": null, "spf": "FAIL", "dkim": "PASS", "dmarc": "GRAY", "dmarcPolicy": null });
    assert_eq!(email["verdicts"], expected);
}

#[tokio::test]
async fn past_its_limit_a_hook_keeps_mails_waiting_and_goes_on_knowing_those_it_took() {
    for duplicates in [json!(null), json!(false), json!({ "windowSeconds": 60, "fields": ["orderNumber"] })] {
        let world = World::new().await;
        let limit = json!({ "requests": 2, "seconds": 3_600 });
        let hook = world.email_hook_with(json!({ "limit": limit, "duplicates": duplicates })).await;
        let workflow = world.listener(&hook).await;
        let order = |number: usize| {
            order_mail(&format!("<{number}@shop.example>"), &format!("{{\"orderNumber\":\"{number}\"}}"))
        };
        let mut outcomes = Vec::new();
        for number in 0..4 {
            outcomes.push(world.mail_to(&hook, &format!("m{number}"), order(number)).await);
        }
        let words: Vec<String> = outcomes.iter().map(|outcome| word(outcome.what)).collect();
        assert_eq!(words, ["fired", "fired", "quarantined over_limit", "quarantined over_limit"], "{duplicates}");
        assert_eq!(world.runs(&workflow).await.len(), 2);

        // Told of again, they are what they were.
        for (number, before) in outcomes.iter().enumerate() {
            let again = world.mail_to(&hook, &format!("m{number}"), order(number)).await;
            assert_eq!(again.transaction, before.transaction);
            let is_waiting = word(again.what).starts_with("quarantined");
            assert_eq!(is_waiting, number >= 2, "{number} with {duplicates}: {again:?}");
        }
        assert_eq!(world.quarantine(&hook).await.len(), 2, "{duplicates}");
        assert_eq!(world.runs(&workflow).await.len(), 2, "{duplicates}");

        // Whoever releases one does not ask the limit.
        for outcome in &outcomes[2..] {
            world.release(&hook, &outcome.transaction.to_string()).await.expect(200);
        }
        assert_eq!(world.runs(&workflow).await.len(), 4);

        // Time lets mails in again, and one that waits may be among them.
        world.clock.pass_seconds(3_600);
        let late = world.mail_to(&hook, "m9", order(9)).await;
        assert_eq!(word(late.what), "fired");
        assert_eq!(world.runs(&workflow).await.len(), 5);
    }
}

#[tokio::test]
async fn a_mail_without_data_uses_nothing_of_the_limit_up() {
    let world = World::new().await;
    let hook = world.email_hook_with(json!({ "limit": { "requests": 1, "seconds": 3_600 } })).await;
    for number in 0..5 {
        let outcome = world.mail_to(&hook, &format!("m{number}"), order_mail("<n@shop.example>", "")).await;
        assert_eq!(word(outcome.what), "recorded no_data");
    }
    let outcome = world.mail_to(&hook, "m5", order_mail("<o@shop.example>", ORDER)).await;
    assert_eq!(word(outcome.what), "fired");
}

#[tokio::test]
async fn every_mail_that_was_not_taken_stands_among_the_refusals_with_what_to_do() {
    let world = World::new().await;
    let hook = world.mail_hook(json!({ "policy": { "spam": "drop" } })).await;
    for (number, found) in
        ["FAIL PASS PASS PASS PASS -", "PASS PASS FAIL FAIL GRAY -", "PASS FAIL PASS PASS PASS -"].iter().enumerate()
    {
        let mut delivery = delivery(&format!("m{number}"), &[&hook.address]);
        delivery.verdicts = verdicts(found);
        for _ in 0..3 {
            world.mail(&delivery, order_mail("<1@shop.example>", ORDER)).await.unwrap();
        }
    }
    let refusals = world.refusals(&hook).await;
    let codes: Vec<&Value> = refusals.iter().map(|refusal| &refusal["attributes"]["code"]).collect();
    assert_eq!(codes, ["virus", "unauthenticated", "spam"], "each once");
    for refusal in &refusals {
        let attributes = &refusal["attributes"];
        assert_eq!((&attributes["method"], &attributes["check"]), (&json!("MAIL"), &json!("verdict")));
        assert!(attributes["detail"].as_str().unwrap().len() > 40 && attributes["bodyBytes"].as_u64() > Some(0));
        // One that waits has no transaction yet.
        assert_eq!(attributes["transactionId"].is_string(), attributes["code"] != "unauthenticated");
    }
    // What was recorded can be looked up, with its reason and without its data.
    let recorded = refusals[2]["attributes"]["transactionId"].as_str().unwrap();
    let recorded = world.get(&format!("/v1/transactions/{recorded}")).await.expect(200);
    assert_eq!(recorded.attribute("data"), Value::Null);
    assert_eq!(recorded.body["meta"]["trace"]["notFired"]["code"], "spam");
    assert_eq!(recorded.body["meta"]["trace"]["considered"], json!([]));
}
