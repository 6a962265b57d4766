//! Samples with other values, and how one is found.

use apps::samples::{self, SampleBody};
use serde_json::{Value, json};

use crate::arrival::Arrival;

fn json_of(event: &str, changes: &[(&str, Value)]) -> Result<Value, String> {
    let changes: Vec<(String, Value)> =
        changes.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    let sample = samples::find(event).unwrap().with(&changes)?;
    Ok(serde_json::from_slice(&sample.body.bytes()).unwrap())
}

#[test]
fn a_sample_is_found_by_its_event_an_alias_or_an_event_that_follows() {
    let found = |name: &str| samples::find(name).map(|sample| sample.event.as_str());
    assert_eq!(found("shopify.order.update"), Some("shopify.order.update"));
    assert_eq!(found("kustomer.app.shopify.order-update"), Some("shopify.order.update"));
    assert!(found("concours.refund").is_some());
    assert_eq!(found("shopify.order.vanish"), None);
}

#[test]
fn a_variant_is_found_by_its_name() {
    let sample = samples::find("twilio.message.receive~whatsapp").unwrap();
    assert_eq!(sample.variant.as_deref(), Some("whatsapp"));
    assert_eq!(samples::find("twilio.message.receive~other"), None);
}

#[test]
fn values_are_set_where_they_are_or_where_they_are_new() {
    let changes = [
        ("customer.email", json!("sam@example.com")),
        ("line_items.0.quantity", json!(7)),
        ("note_attributes.0", json!({"name": "gift", "value": "yes"})),
        ("extra.deep", json!(true)),
    ];
    let body = json_of("shopify.order.update", &changes).unwrap();
    assert_eq!(body["customer"]["email"], "sam@example.com");
    assert_eq!(body["line_items"][0]["quantity"], json!(7));
    assert_eq!(body["note_attributes"][0]["name"], "gift");
    assert_eq!(body["extra"]["deep"], json!(true));
}

#[test]
fn a_path_that_leads_nowhere_is_told() {
    let problem = json_of("shopify.order.update", &[("line_items.99.sku", json!("x"))]).unwrap_err();
    assert!(problem.contains("line_items.99.sku"), "{problem}");
}

#[test]
fn a_field_of_a_form_is_set_and_a_path_leads_into_a_field_that_holds_json() {
    let set = |path: &str, value: Value| {
        samples::find("twilio.debugger.error").unwrap().with(&[(path.to_owned(), value)]).unwrap().body
    };
    let field = |body: &SampleBody, name: &str| match body {
        SampleBody::Form(fields) => fields.iter().find(|(field, _)| field == name).unwrap().1.clone(),
        SampleBody::Empty | SampleBody::Json(_) | SampleBody::Text(_) => panic!("the sample is a form"),
    };
    assert_eq!(field(&set("Level", json!("WARNING")), "Level"), "WARNING");
    let payload = field(&set("Payload.error_code", json!("30003")), "Payload");
    assert!(payload.contains(r#""error_code":"30003""#), "{payload}");
}

#[test]
fn an_event_that_several_apps_tell_has_a_sample_of_each() {
    for app in ["stripe", "shopify", "gohighlevel"] {
        assert_eq!(samples::find_of(app, "concours.payment.receive").map(|sample| sample.app), Some(app));
    }
    assert!(samples::find_of("slack", "concours.payment.receive").is_none());
    assert!(samples::find("concours.payment.receive").is_some());
}

#[test]
fn every_sample_of_an_app_with_delivery_ids_can_be_delivered_anew() {
    let mut stuck = Vec::new();
    for sample in samples::all() {
        let app = apps::find(sample.app).unwrap();
        let ids = |sample: &samples::Sample| -> Vec<String> {
            Arrival::of(app, sample).inputs().filter_map(|input| app.delivery_id(&input)).collect()
        };
        let before = ids(sample);
        let after = ids(&sample.as_new_delivery("0123456789abcdef01234567"));
        if app.declares_delivery_ids() && before.iter().any(|id| after.contains(id)) {
            stuck.push(format!("{}/{}: {before:?}", sample.app, sample.event));
        }
    }
    assert!(stuck.is_empty(), "{stuck:#?}");
}
