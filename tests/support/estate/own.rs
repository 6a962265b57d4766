//! What the estate makes for one request.

use domain::OrgId;
use serde_json::{Value, json};
use service::{
    http::{Route, RouteMethod},
    ports::{NotCalled, OutgoingContent, OutgoingMail, Post, Unavailable},
};

use super::{ABSENT_ID, Estate, MARK};
use crate::{
    letters::given_up,
    mail::{delivery, order_mail, verdicts},
    world::{World, always},
};

impl Estate {
    /// The dead letter that the route names: a new one where the request redrives it or takes it away.
    pub(super) async fn letter_for(&self, route: &Route) -> String {
        if route.method == RouteMethod::Get {
            return self.ids["dead-letters"].clone();
        }
        given_up(&self.world, Some(self.world.org), &self.draw().to_string(), MARK).await
    }

    /// The app that the route names: a new one where the request takes it away, or makes it one that is installed.
    pub(super) async fn app_for(&self, route: &Route) -> String {
        match (route.method, route.path) {
            (RouteMethod::Delete, _) => {
                let name = self.registered_app(&[&self.world.admin]).await;
                self.world.api("POST", "/v1/apps", json!({ "app": name })).await.expect(201);
                name
            }
            (RouteMethod::Post, "/v1/apps") => {
                let other = self.key(self.other, "org.admin", None).await;
                self.registered_app(&[&self.world.admin, &other]).await
            }
            (RouteMethod::Put, "/v1/apps/{name}") | (_, "/v1/apps/available/{name}") => self.ids["app"].clone(),
            _ => "shopify".to_owned(),
        }
    }

    /// A new app that the orgs of these keys have registered.
    async fn registered_app(&self, tokens: &[&str]) -> String {
        let draft = self.body("AppDefinition", "", self.world.org).await;
        for token in tokens {
            self.world.api_as(token, "POST", "/v1/apps/available", draft.clone()).await.expect(201);
        }
        draft["app"].as_str().unwrap().to_owned()
    }

    /// A call of a new workflow of `org` that is to be made once, or again and again.
    pub(super) async fn later_call(&self, schema: &str, org: OrgId, name: &str) -> Value {
        let workflow = callable(&self.world, &self.key(org, "org.admin", None).await, name).await;
        match schema {
            "ScheduledRunDraft" => json!({ "workflow": workflow, "runAt": { "type": "relative", "value": 60_000 } }),
            _ => json!({ "workflow": workflow, "title": name, "recurrence": { "every": { "days": 1 } } }),
        }
    }

    /// A run that is as the route needs it.
    pub(super) async fn run_for(&self, route: &Route) -> String {
        match route.path.rsplit('/').next() {
            Some("outcomes") => self.held_run().await,
            Some("replays") => {
                let run = waiting_run(&self.world, &self.ids["callable"]).await;
                self.world.api("POST", &format!("/v1/runs/{run}/cancel"), Value::Null).await.expect(200);
                run
            }
            _ => waiting_run(&self.world, &self.ids["callable"]).await,
        }
    }

    /// A run that is held for a call of which nobody knows what came.
    async fn held_run(&self) -> String {
        let url = format!("https://{MARK}.example/charges");
        let down = Unavailable { port: "calls", cause: "it was told to fail".to_owned() };
        self.world.calls.script(&url, Err(NotCalled::Broken(down)));
        let document = json!({
            "name": format!("{MARK}{}", self.draw()),
            "trigger": { "callable": true, "transitions": always("charge") },
            "steps": [{
                "id": "charge",
                "action": "kustomer.rest-api.json",
                "params": { "uri": url, "onUnknownOutcome": "ask" },
                "transitions": [],
            }],
        });
        let workflow = self.world.api("POST", "/v1/workflows", document).await.expect(201).id();
        waiting_run(&self.world, &workflow).await
    }

    /// What a list has to be narrowed by: the customer of `org` whose records are listed.
    pub async fn query(&self, route: &Route, org: OrgId) -> String {
        let is_list = ["/v1/conversations", "/v1/messages", "/v1/notes"].contains(&route.path);
        if is_list && route.method == RouteMethod::Get {
            format!("?customer={}", self.customer(org).await)
        } else {
            String::new()
        }
    }

    /// Makes room for one more webhook; there may be 20.
    pub(super) async fn take_away_other_webhooks(&self) {
        let list = self.world.get("/v1/webhooks?pageSize=100").await.expect(200);
        for webhook in list.body["data"].as_array().unwrap() {
            let id = webhook["id"].as_str().unwrap();
            if id != self.ids["webhooks"] {
                self.world.api("DELETE", &format!("/v1/webhooks/{id}"), Value::Null).await.expect(204);
            }
        }
    }

    /// A customer of `org`.
    async fn customer(&self, org: OrgId) -> String {
        if org == self.world.org {
            return self.ids["customers"].clone();
        }
        let made = self.other_customer.borrow().clone();
        if let Some(id) = made {
            return id;
        }
        let admin = self.key(org, "org.admin", None).await;
        let made = self.world.api_as(&admin, "POST", "/v1/customers", json!({ "name": "Ann" })).await.expect(201);
        self.other_customer.borrow_mut().insert(made.id()).clone()
    }

    /// A good draft of the kind of record that `permission` is about, in `org`.
    pub(super) async fn record(&self, permission: &str, org: OrgId, name: &str) -> Value {
        match permission.split('.').nth(2).unwrap_or_default() {
            "conversation" => json!({ "customer": self.customer(org).await, "name": name }),
            "message" | "note" => json!({ "customer": self.customer(org).await, "body": name }),
            "kobject" => json!({ "title": name }),
            _ => json!({ "name": name }),
        }
    }
}

/// A good body of `schema`, which is about runs.
pub(super) fn body_about_runs(schema: &str) -> Value {
    match schema {
        "RunOutcome" => json!({ "outcome": "done" }),
        "ReplayDraft" => json!({ "from": "start" }),
        "ReplaysDraft" => json!({ "from": "start", "filter": { "state": "succeeded" } }),
        _ => json!({ "draft": true }),
    }
}

/// A workflow that can be called, and waits for an answer, of the org of the key `token`; its id.
pub(super) async fn callable(world: &World, token: &str, name: &str) -> String {
    let document = json!({
        "name": name,
        "trigger": { "callable": true, "transitions": always("ask") },
        "steps": [{ "id": "ask", "action": "flow.wait", "params": { "answer": { "choices": ["approve"] } }, "transitions": [] }],
    });
    world.api_as(token, "POST", "/v1/workflows", document).await.expect(201).id()
}

/// A run of `workflow`, which the first org has, that waits for an answer.
async fn waiting_run(world: &World, workflow: &str) -> String {
    let run = world.api("POST", &format!("/v1/workflows/{workflow}/call?wait=0"), json!({})).await.expect(202).id();
    world.work().await;
    run
}

/// Sends a mail that looks like spam, and gives the id that it waits under.
pub(super) async fn waiting_mail(world: &World, address: &str, id: &str) -> String {
    let mut spam = delivery(id, &[address]);
    spam.verdicts = verdicts("FAIL PASS PASS PASS PASS -");
    let mail = order_mail(&format!("<{id}@shop.example>"), &format!("{{\"text\":\"{MARK}\"}}"));
    world.mail(&spam, mail).await.unwrap()[0].transaction.to_string()
}

/// A mail that a workflow of the world's org has sent, by its id.
pub(super) async fn sent_mail(world: &World) -> String {
    let message = format!("From: a@shop.example\r\nTo: b@mail.example\r\nSubject: {MARK}\r\n\r\n{MARK}\r\n");
    let mail = OutgoingMail {
        org: world.org,
        key: format!("{ABSENT_ID}/{MARK}/1"),
        from: "a@shop.example".to_owned(),
        recipients: vec!["b@mail.example".to_owned()],
        content: OutgoingContent::Raw(message.into()),
    };
    world.outbox.send(&mail).await.unwrap().id
}
