//! What is printed when local mode is ready: on the first start a tour to paste, later only where it is.

use std::net::SocketAddr;

use super::{Args, admin::Admin};
use crate::output;

/// Tells that requests are taken now.
pub(super) fn print(url: &str, mail: &SocketAddr, admin: &Admin, args: &Args) {
    let state =
        if args.memory { "nothing is kept".to_owned() } else { format!("state in {}", args.state_dir().display()) };
    let key = match &admin.file {
        Some(file) => format!("in {}", file.display()),
        None => admin.token.clone(),
    };
    output::say(&format!("Hookwright is ready at {url} (mail at {mail}; {state}; admin key {key})."));
    if admin.is_new {
        output::say(&tour(url, admin));
    }
}

fn tour(url: &str, admin: &Admin) -> String {
    let key = match &admin.file {
        // Within single quotes only the single quote itself means anything to a shell.
        Some(file) => format!("\"$(cat '{}')\"", file.display().to_string().replace('\'', r"'\''")),
        None => admin.token.clone(),
    };
    let org = admin.org;
    TOUR.replace("{url}", url).replace("{key}", &key).replace("{org}", &org.to_string())
}

/// One order from a form to a customer's timeline; every block can be pasted as it is, in this order.
const TOUR: &str = r#"
Your org is {org}. A tour to paste into another terminal:

# 0. Where it is, and who you are.
export HOOKWRIGHT_URL={url} HOOKWRIGHT_API_KEY={key}
api() { curl -sS -H "Authorization: Bearer $HOOKWRIGHT_API_KEY" -H 'Content-Type: application/json' "$@"; echo; }

# 1. What an order looks like: a klass.
api "$HOOKWRIGHT_URL/v1/klasses" -d '{"name":"order","displayName":"Order","metadata":{"properties":{"orderIDStr":{"displayName":"Order ID"},"priceStr":{"displayName":"Price"},"quantityNum":{"displayName":"Quantity"}}}}'

# 2. An address to post orders to: a form hook.
HOOK=$(api "$HOOKWRIGHT_URL/v1/hooks/form" -d '{"title":"Orders"}'); echo "$HOOK"
HOOK_URL=$(printf '%s' "$HOOK" | sed 's/.*"url":"\([^"]*\)".*/\1/'); EVENT=$(printf '%s' "$HOOK" | sed 's/.*"eventName":"\([^"]*\)".*/\1/')

# 3. What to do with an order: a workflow.
api "$HOOKWRIGHT_URL/v1/workflows" -d '{"name":"order-from-a-form","trigger":{"eventName":"'$EVENT'","transitions":[{"target":"find","condition":{"op":"true","values":[true]}}]},"steps":[
 {"id":"find","action":"kustomer.customer.find-by-email","params":{"email":"/#steps.1.attributes.data.email"},"transitions":[{"target":"order","condition":{"op":"exists","values":["/#steps.find.id"]}},{"target":"create","condition":{"op":"dne","values":["/#steps.find.id"]}}]},
 {"id":"create","action":"kustomer.customer.create","params":{"email":"/#steps.1.attributes.data.email"},"transitions":[{"target":"first-order","condition":{"op":"true","values":[true]}}]},
 {"id":"order","action":"kustomer.kobject.create-with-customer","params":{"klassName":"order","customer":"/#steps.find.id","title":"Online Order","data":"/#steps.1.attributes.data","custom":{"orderIDStr":"/#steps.1.attributes.data.orderId","priceStr":"/#steps.1.attributes.data.price","quantityNum":"/#steps.1.attributes.data.quantity"}},"transitions":[]},
 {"id":"first-order","action":"kustomer.kobject.create-with-customer","params":{"klassName":"order","customer":"/#steps.create.id","title":"Online Order","data":"/#steps.1.attributes.data","custom":{"orderIDStr":"/#steps.1.attributes.data.orderId","priceStr":"/#steps.1.attributes.data.price","quantityNum":"/#steps.1.attributes.data.quantity"}},"transitions":[]}]}'

# 4. An order arrives. Nobody needs a key for this.
TX=$(curl -sS "$HOOK_URL" -H 'Content-Type: application/json' -d '{"orderId":"1234","price":"$10.25","quantity":2,"email":"test@example.com"}'); echo "$TX"

# 5. Look: which workflow ran and why, and the customer with the order.
sleep 1; api "$HOOKWRIGHT_URL/v1/transactions/$(printf '%s' "$TX" | sed 's/.*"id":"\([^"]*\)".*/\1/')"
CUSTOMER=$(api "$HOOKWRIGHT_URL/v1/customers/email=test@example.com"); echo "$CUSTOMER"
api "$HOOKWRIGHT_URL/v1/customers/$(printf '%s' "$CUSTOMER" | sed 's/.*"type":"customer","id":"\([^"]*\)".*/\1/')/timeline"
"#;
