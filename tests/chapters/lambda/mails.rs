//! Mails from what AWS tells of them, and mail that workflows send: what is done, what comes again, and what never does.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::{
    lambda::{Deployment, Service, action_event, mail_event, now},
    mail::{html_mail, order_mail},
    world::{always, tutorial_order, workflow_of},
};

use super::BINARIES;

/// A mail with the tutorial's order in it.
fn mail() -> String {
    order_mail("<1@shop.example>", &tutorial_order().to_string())
}

#[tokio::test]
async fn a_mailed_order_becomes_an_order_on_a_new_customers_timeline() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, event, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;
    deployment.new_tutorial_for(&event).await;

    deployment.deliver("ses-1", &[&address], mail()).await.unwrap();
    assert_eq!(deployment.work().await, [] as [String; 0]);

    let timeline = deployment.only_timeline().await;
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0]["attributes"]["data"], tutorial_order());
    let transactions = deployment.list(&format!("/v1/hooks/email/{id}/transactions")).await;
    assert_eq!(transactions.len(), 1);
    let email = &transactions[0]["attributes"]["email"];
    assert_eq!(email["sesMessageId"], "ses-1");
    assert_eq!(email["recipient"], address.as_str());
    assert_eq!(email["verdicts"]["dmarc"], "PASS");
}

#[tokio::test]
async fn however_often_and_in_whatever_way_it_is_told_a_mail_is_one_order() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, event, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;
    deployment.new_tutorial_for(&event).await;
    let at = now();
    deployment.aws.put_mail("ses-1", mail());

    for event in [
        mail_event("ses-1", &[&address], &at),
        mail_event("ses-1", &[&address, &address], &at),
        action_event("ses-1", &[&address.to_uppercase()], &at),
        json!({ "requestContext": { "condition": "RetriesExhausted" }, "requestPayload": mail_event("ses-1", &[&address], &at) }),
    ] {
        deployment.tell(&event).await.unwrap();
        assert_eq!(deployment.work().await, [] as [String; 0]);
    }

    assert_eq!(deployment.only_timeline().await.len(), 1);
    let told = deployment.list(&format!("/v1/hooks/email/{id}/transactions")).await;
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|transaction| transaction["id"] == told[0]["id"]), "{told:?}");
}

#[tokio::test]
async fn a_mail_to_two_hooks_and_a_stranger_comes_to_both_hooks() {
    let deployment = Deployment::start(BINARIES).await;
    let (_, _, one) = deployment.new_email_hook(json!({ "title": "One" })).await;
    let (_, _, other) = deployment.new_email_hook(json!({ "title": "Other" })).await;

    deployment.deliver("ses-1", &[&one, "customer@mail.example", &other], mail()).await.unwrap();

    assert_eq!(deployment.aws.take_messages().len(), 2);
}

#[tokio::test]
async fn a_mail_that_cannot_be_used_is_recorded_and_does_not_come_again() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, _, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;
    let poison = [
        html_mail("<2@shop.example>", "<p>No data.</p>").into_bytes(),
        order_mail("<3@shop.example>", "{\"orderId\": ").into_bytes(),
        b"\x00\xff\r\n\r\n".to_vec(),
        Vec::new(),
        "Content-Type: message/rfc822\r\n\r\n".repeat(200_000).into_bytes(),
    ];

    for (number, mail) in poison.into_iter().enumerate() {
        deployment.deliver(&format!("ses-{number}"), &[&address], mail).await.unwrap();
    }

    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    let refusals = deployment.list(&format!("/v1/hooks/email/{id}/refusals")).await;
    assert_eq!(refusals.len(), 5);
    assert!(refusals.iter().all(|refusal| refusal["attributes"]["code"] == "no_data"), "{refusals:?}");
}

#[tokio::test]
async fn what_is_no_mail_of_ours_is_no_error() {
    let deployment = Deployment::start(BINARIES).await;
    let elsewhere =
        mail_event("ses-1", &["info@shop.example"], &now()).to_string().replace("story-mail", "another-bucket");
    for event in [
        json!({ "Records": [{ "Sns": { "Message": "Successfully validated SNS topic." } }] }),
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }),
        mail_event("AMAZON_SES_SETUP_NOTIFICATION", &[], &now()),
        mail_event("ses-1", &["info@shop.example", &format!("{}@hooks.example.org", "0".repeat(64))], &now()),
        serde_json::from_str(&elsewhere).unwrap(),
        json!({ "Records": [{ "s3": { "object": {} } }, null, 1] }),
        json!([]),
        Value::Null,
    ] {
        deployment.tell(&event).await.unwrap();
    }
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
}

#[tokio::test]
async fn a_mail_comes_again_while_the_store_or_the_bucket_is_down_and_is_kept_while_the_queue_is() {
    let deployment = Deployment::start(BINARIES).await;
    let (_, _, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;

    for service in [Service::DynamoDb, Service::S3] {
        deployment.aws.stop(service);
        let error = deployment.deliver("ses-1", &[&address], mail()).await.unwrap_err();
        assert!(error.message.contains("unavailable"), "{service:?}: {error:?}");
        deployment.aws.resume(service);
        assert_eq!(deployment.aws.take_messages(), [] as [String; 0], "{service:?}");
    }

    // The ticker will send it; where it comes again before, it goes under the same name.
    deployment.aws.stop(Service::Sqs);
    deployment.deliver("ses-1", &[&address], mail()).await.unwrap();
    deployment.aws.resume(Service::Sqs);
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    deployment.deliver("ses-1", &[&address], mail()).await.unwrap();
    assert_eq!(deployment.aws.take_messages().len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_not_there_is_waited_for_at_first_and_then_gone() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, _, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;

    deployment.tell(&mail_event("ses-1", &[&address], &now())).await.unwrap_err();
    deployment.tell(&mail_event("ses-2", &[&address], "2026-01-01T00:00:00.000Z")).await.unwrap();

    let refusals = deployment.list(&format!("/v1/hooks/email/{id}/refusals")).await;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0]["attributes"]["code"], "mail_gone");
}

#[tokio::test]
async fn an_attachment_goes_to_the_bucket_of_blobs_and_comes_back() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, _, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;
    let picture: Vec<u8> = (0..1_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let encoded = STANDARD.encode(&picture);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
    let mail = format!(
        "From: a@shop.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
         <script type=\"application/ld+json\">{{\"orderId\":\"1\"}}</script>\r\n--b\r\nContent-Type: image/png\r\n\
         Content-Disposition: attachment; filename=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    );

    deployment.deliver("ses-1", &[&address], mail).await.unwrap();

    let transactions = deployment.list(&format!("/v1/hooks/email/{id}/transactions")).await;
    let attachment = &transactions[0]["attributes"]["email"]["attachments"][0];
    assert_eq!(attachment["size"], 1_000_000);
    assert_eq!(deployment.aws.object_keys(), [attachment["blob"].as_str().unwrap()]);
    assert_eq!(deployment.aws.object(attachment["blob"].as_str().unwrap()).unwrap(), picture);
}

#[tokio::test]
async fn a_mail_in_quarantine_is_released_by_the_api_from_the_bucket_of_mails() {
    let deployment = Deployment::start(BINARIES).await;
    let (id, event, address) = deployment.new_email_hook(json!({ "title": "Order mails", "debug": true })).await;
    deployment.new_tutorial_for(&event).await;
    deployment.aws.put_mail("ses-1", mail());
    let spam = mail_event("ses-1", &[&address], &now()).to_string();
    let spam = spam.replace(
        "\\\"spamVerdict\\\":{\\\"status\\\":\\\"PASS\\\"}",
        "\\\"spamVerdict\\\":{\\\"status\\\":\\\"FAIL\\\"}",
    );

    deployment.tell(&serde_json::from_str(&spam).unwrap()).await.unwrap();
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);
    let waiting = deployment.list(&format!("/v1/hooks/email/{id}/quarantine")).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["attributes"]["code"], "spam");

    let release = format!("/v1/hooks/email/{id}/quarantine/{}/release", waiting[0]["id"].as_str().unwrap());
    deployment.api("POST", &release, Value::Null).await.expect(200);
    assert_eq!(deployment.work().await, [] as [String; 0]);
    assert_eq!(deployment.only_timeline().await.len(), 1);
}

#[tokio::test]
async fn what_the_mail_domain_needs_is_told_as_the_stack_has_it() {
    let deployment = Deployment::start(BINARIES).await;
    let told = deployment.get("/v1/mail-domain").await;
    assert_eq!(told.id(), "hooks.example.org");
    assert_eq!(told.attribute("region"), "eu-west-1");
    for expected in
        ["10 inbound-smtp.eu-west-1.amazonaws.com", "2pqes._domainkey.hooks.example.org", "--rule-set-name story-mail"]
    {
        assert!(told.text.contains(expected), "{expected} in {}", told.text);
    }
}

#[tokio::test]
async fn a_workflow_sends_its_mail_through_ses_once_ses_takes_it() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = deployment.new_hook().await;
    let params =
        json!({ "to": "/#steps.1.attributes.data.email", "subject": "Thank you", "text": "It is on its way." });
    let steps = json!([{ "id": "thank", "action": "kustomer.app.mail.send", "params": params, "transitions": always("end") }, { "id": "end", "transitions": [] }]);
    deployment.api("POST", "/v1/workflows", workflow_of("thanks", &hook.event, steps)).await.expect(201);
    deployment.post(&hook, tutorial_order().to_string()).await.expect(202);

    assert_eq!(deployment.work().await, [] as [String; 0]);

    let sent = deployment.aws.sent_mails();
    assert_eq!(sent.len(), 1);
    let field = |name: &str| &sent[0].iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(field("Source"), "no-reply@hooks.example.org");
    assert_eq!(field("Destinations.member.1"), "test@example.com");
    let message = String::from_utf8(STANDARD.decode(field("RawMessage.Data")).unwrap()).unwrap();
    assert!(message.contains("Subject: Thank you") && message.contains("It is on its way."), "{message}");
}
