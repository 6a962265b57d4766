//! The tutorial as a load: the klass, the workflow, and orders.

use serde_json::{Value, json};

/// How long the body of an order is; what webhooks commonly have.
pub const ORDER_BYTES: usize = 1_024;

/// The klass `order`.
pub fn klass() -> Value {
    json!({
        "name": "order",
        "displayName": "Order",
        "metadata": { "properties": {
            "orderIDStr": { "displayName": "Order ID" },
            "priceStr": { "displayName": "Price" },
            "quantityNum": { "displayName": "Quantity" },
        } },
    })
}

/// The workflow over `event`: look the customer up, create it if need be, put the order on its timeline.
pub fn workflow(event: &str) -> Value {
    let document = include_str!("../../tests/fixtures/tutorial-workflow.json");
    let mut document: Value = serde_json::from_str(document).unwrap();
    document["trigger"]["eventName"] = json!(event);
    document
}

/// The seed's own order, by customer `number`.
pub fn small_order(number: usize) -> String {
    json!({ "orderId": "1234", "price": "$10.25", "quantity": 2, "email": email(number) }).to_string()
}

/// An order of [`ORDER_BYTES`], by customer `number`: lines of different goods, as a shop sends them.
pub fn order(number: usize) -> String {
    let mut lines = Vec::new();
    for line in 0.. {
        let sku = format!("{:08x}", (number * 31 + line + 1).wrapping_mul(2_654_435_761) & 0xffff_ffff);
        lines.push(
            json!({ "sku": sku, "title": format!("Article {line}"), "quantity": line % 3 + 1, "price": "$10.25" }),
        );
        let order = with_lines(number, &lines, 0);
        if order.len() + 100 > ORDER_BYTES {
            return with_lines(number, &lines, ORDER_BYTES - order.len());
        }
    }
    unreachable!("the lines grow until they fill the order")
}

fn with_lines(number: usize, lines: &[Value], padding: usize) -> String {
    json!({
        "orderId": format!("{number:08}"),
        "price": "$10.25",
        "quantity": 2,
        "email": email(number),
        "lines": lines,
        "remark": "x".repeat(padding),
    })
    .to_string()
}

fn email(number: usize) -> String {
    format!("customer-{number:08}@example.com")
}
