//! Two orgs: one that has one of everything, and one that has keys only.
//!
//! Keys are made behind the doors, so that they may have roles and dates that no door would give them.

mod own;

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{ApiKey, ApiKeyId, ApiKeySecret, OrgId, Role, Timestamp};
use serde_json::{Value, json};
use service::{
    directory::keys,
    http::{Route, RouteMethod},
    memory::{FixedWorld, MemoryStore},
    ports::Item,
};

use crate::{
    letters::given_up,
    world::{Answer, NOON, World, always, workflow_of},
};

/// In everything that the first org has.
pub const MARK: &str = "aquila";

/// Of this id there is nothing in any org.
pub const ABSENT_ID: &str = "5a345109e578360010eadead";
pub const ABSENT_NAME: &str = "zephyr";

/// What a credential is answered where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Unauthenticated(&'static str),
    Forbidden,
    Admitted,
}

/// A way to say who one is.
pub struct Credential {
    pub name: &'static str,
    pub authorization: Option<String>,
    pub verdict: Verdict,
    /// Whether it tells which org it is of.
    pub names_org: bool,
}

/// An org that has one of everything, and another that has keys only.
pub struct Estate {
    pub world: World,
    pub store: Arc<MemoryStore>,
    /// The org that has keys only.
    pub other: OrgId,
    /// What the first org has, by the word of its collection.
    pub ids: HashMap<&'static str, String>,
    keys: RefCell<HashMap<String, String>>,
    /// A customer of the org that has keys only, once one was needed.
    other_customer: RefCell<Option<String>>,
    drawn: RefCell<u64>,
}

impl Estate {
    pub async fn new() -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::over(store.clone(), clock).await;
        let other = OrgId::parse("000000000000000000000001").unwrap();
        let ids = one_of_everything(&world).await;
        let (keys, other_customer) = Default::default();
        Self { world, store, other, ids, keys, other_customer, drawn: RefCell::new(0) }
    }

    fn draw(&self) -> u64 {
        *self.drawn.borrow_mut() += 1;
        *self.drawn.borrow()
    }

    /// A key of `org` with `role`, as no door would make it: roles are not checked, and it may have expired.
    pub async fn key(&self, org: OrgId, role: &str, expires_at: Option<Timestamp>) -> String {
        let name = format!("{org} {role} {expires_at:?}");
        let made = self.keys.borrow().get(&name).cloned();
        if let Some(token) = made {
            return token;
        }
        let (id, secret) = self.fresh();
        let role: Role = serde_json::from_value(json!(role)).unwrap();
        let mut key = ApiKey::new(id, org, MARK.to_owned(), vec![role], &secret, Timestamp::parse(NOON).unwrap());
        key.expires_at = expires_at;
        keys::create(self.store.as_ref(), &key).await.unwrap();
        self.keys.borrow_mut().insert(name, secret.token(org, id));
        secret.token(org, id)
    }

    fn fresh(&self) -> (ApiKeyId, ApiKeySecret) {
        let drawn = self.draw().to_be_bytes();
        let id = ApiKeyId::fresh(Timestamp::parse("2026-01-01T00:00:00Z").unwrap(), drawn);
        (id, ApiKeySecret::from_random([drawn; 4].concat().try_into().unwrap()))
    }

    /// Every kind of credential of `org` for what needs `permission`.
    pub async fn credentials(&self, org: OrgId, permission: &str) -> Vec<Credential> {
        let parent = permission.rsplit_once('.').unwrap().0;
        let admin = if permission.starts_with("org.permission.") { Verdict::Admitted } else { Verdict::Forbidden };
        let (id, secret) = self.fresh();
        let exact = self.key(org, permission, None).await;
        let other_secret = format!("{}{}", exact.rsplit_once('_').unwrap().0, &secret.token(org, id)[52..]);
        let expired = self.key(org, permission, Some(Timestamp::parse(NOON).unwrap())).await;
        let basic = format!("Basic {}", BASE64.encode(format!("key:{exact}")));
        let bad = Verdict::Unauthenticated("bad_credentials");
        let one = |name, authorization, verdict, names_org| Credential { name, authorization, verdict, names_org };
        let bearer = |token: String| Some(format!("Bearer {token}"));
        let mut all = vec![
            one("no key", None, Verdict::Unauthenticated("no_credentials"), false),
            one("malformed key", bearer("hk_0_0_0".to_owned()), bad, false),
            one("cut key", bearer(exact[..exact.len() - 1].to_owned()), bad, false),
            one("bare key", Some(exact.clone()), bad, false),
            one("key as a password", Some(basic), bad, false),
            one("unknown key", bearer(secret.token(org, id)), bad, true),
            one("key with another's secret", bearer(other_secret), bad, true),
            one("expired key", bearer(expired), bad, true),
            one("exact role", bearer(exact.clone()), Verdict::Admitted, true),
        ];
        for (name, role, verdict) in [
            ("org.admin", "org.admin".to_owned(), admin),
            ("another role", "org.permission.nothing.read".to_owned(), Verdict::Forbidden),
            ("role with a suffix", format!("{permission}x"), Verdict::Forbidden),
            ("role below", format!("{permission}.own"), Verdict::Forbidden),
            ("parent with a suffix", format!("{parent}x"), Verdict::Forbidden),
            ("admin with a suffix", "org.admins".to_owned(), Verdict::Forbidden),
            ("org.hooksx", "org.hooksx".to_owned(), Verdict::Forbidden),
            ("upper case", permission.to_uppercase(), Verdict::Forbidden),
            ("upper case admin", "ORG.ADMIN".to_owned(), Verdict::Forbidden),
        ] {
            all.push(one(name, bearer(self.key(org, &role, None).await), verdict, true));
        }
        if parent == "org" {
            return all;
        }
        for (name, role, verdict) in [
            ("parent role", parent, Verdict::Admitted),
            ("all permissions", "org.permission", Verdict::Admitted),
            ("org.hooks", "org.hooks", Verdict::Forbidden),
        ] {
            all.push(one(name, bearer(self.key(org, role, None).await), verdict, true));
        }
        all
    }

    /// What the path of the route calls `{id}` and `{name}`; something of its own where the request takes it away.
    ///
    /// The mail of a route stands in the place of the name.
    pub async fn parts(&self, route: &Route, kind: &str) -> (String, String) {
        if route.path.starts_with("/v1/hooks/email/") {
            return (self.ids["email"].clone(), self.waiting_mail(route).await);
        }
        if route.path.starts_with("/v1/dead-letters") {
            return (self.letter_for(route).await, String::new());
        }
        let path_ends = |end: &&str| route.path.ends_with(end);
        let uses_up = route.method == RouteMethod::Delete
            || ["/rotate", "/publish", "/merge", "-runs/{id}/cancel"].iter().any(path_ends);
        let collection = route.path.split('/').nth(2).unwrap_or_default();
        if collection == "runs" && route.method == RouteMethod::Post {
            return (self.run_for(route).await, String::new());
        }
        if path_ends(&"/call") {
            return (self.ids["callable"].clone(), String::new());
        }
        if collection == "apps" {
            return (String::new(), self.app_for(route).await);
        }
        let is_instance = route.path.contains("{name}/{id}");
        let org = self.world.org;
        let draft = match collection {
            "hooks" => self.web_draft(kind),
            "workflows" => self.body("WorkflowDocument", "", org).await,
            "workflow-variables" => self.body("WorkflowVariableDraft", "", org).await,
            "recurring-schedules" => self.body("RecurringScheduleDraft", "", org).await,
            "scheduled-runs" => self.body("ScheduledRunDraft", "", org).await,
            "schedules" => self.body("ScheduleDraft", "", org).await,
            "klasses" if !is_instance => self.body("KlassDraft", "", org).await,
            "webhooks" => self.body("WebhookDraft", "", org).await,
            "api-keys" => self.body("ApiKeyDraft", "org.permission.api_key.rotate", org).await,
            "actions" => return (String::new(), "kustomer.customer.find".to_owned()),
            _ => self.body("RecordDraft", route.permission.unwrap_or_default(), org).await,
        };
        if !uses_up {
            let id = if collection == "hooks" { kind } else { collection };
            let id = if is_instance { "instance" } else { id };
            let name = if collection == "webhooks" { "delivery" } else { "klass" };
            return (self.ids.get(id).cloned().unwrap_or_default(), self.ids[name].clone());
        }
        let path = match collection {
            "workflow-variables" => {
                let draft = self.body("WorkflowDocument", "", org).await;
                let workflow = self.world.api("POST", "/v1/workflows", draft).await;
                format!("/v1/workflows/{}/variables", workflow.expect(201).id())
            }
            "klasses" if is_instance => format!("/v1/klasses/{}", self.ids["klass"]),
            _ => route.path.split("/{id}").next().unwrap().split("/{name}").next().unwrap().replace("{kind}", kind),
        };
        if collection == "webhooks" {
            self.take_away_other_webhooks().await;
        }
        let made = self.world.api("POST", &path, draft).await.expect(201);
        if route.path.ends_with("/publish") {
            let draft = format!("/v1/workflows/{}/draft", made.id());
            self.world.api("PUT", &draft, json!({ "description": MARK })).await.expect(200);
        }
        let name = made.attribute("name").as_str().unwrap_or_default().to_owned();
        (made.id(), if is_instance { self.ids["klass"].clone() } else { name })
    }

    /// A mail in quarantine: a new one where the request throws it away.
    async fn waiting_mail(&self, route: &Route) -> String {
        if route.method != RouteMethod::Delete {
            return self.ids["mail"].clone();
        }
        own::waiting_mail(&self.world, &self.ids["email address"], &format!("{MARK}-{}", self.draw())).await
    }

    fn web_draft(&self, kind: &str) -> Value {
        match kind {
            "web" => json!({ "title": MARK, "auth": { "scheme": "shopify", "secrets": ["s"] } }),
            _ => json!({ "title": MARK }),
        }
    }

    /// A good body for the route whose path has the part `name`, which needs `permission` in `org`.
    pub async fn body_for(&self, route: &Route, name: &str, permission: &str, org: OrgId) -> Value {
        match route.request.unwrap_or_default() {
            "AppInstallation" => json!({ "app": name }),
            schema => self.body(schema, permission, org).await,
        }
    }

    /// A good body of `schema` for what needs `permission` in `org`.
    pub async fn body(&self, schema: &str, permission: &str, org: OrgId) -> Value {
        let name = format!("{MARK}{}", self.draw());
        match schema {
            "HookDraft" | "HookPatch" => json!({ "title": name }),
            "SampleDraft" => json!({ "event": "shopify.order.update" }),
            "WorkflowDocument" => workflow_of(&name, "kustomer.app.made", json!([{ "id": "end", "transitions": [] }])),
            "WorkflowPatch" => json!({ "enabled": true }),
            "WorkflowRollback" => json!({ "version": 1 }),
            "WorkflowVariableDraft" => json!({ "name": name, "value": "obviously-fake-and-long" }),
            "EvaluationRequest" => json!({ "expression": "/#steps.1.id" }),
            "ScheduledRunDraft" | "RecurringScheduleDraft" => self.later_call(schema, org, &name).await,
            "RecurringSchedulePatch" => json!({ "title": name }),
            "RecurrencePreviewRequest" => json!({ "recurrence": { "every": { "days": 1 } } }),
            "WorkflowCall" => json!({ "inputs": {} }),
            "DeadLetterRedrive" => json!({ "kind": "unreadable" }),
            "RunOutcome" | "ReplayDraft" | "ReplaysDraft" | "WhatIfDraft" => own::body_about_runs(schema),
            "RunAnswer" | "AnswerLinkDraft" => json!({ "choice": "approve" }),
            "OrgPatch" => json!({ "name": name }),
            "ScheduleDraft" => json!({ "name": name, "timeZone": "Europe/Berlin" }),
            "AppSettingsPatch" => json!({ "default": { "region": "eu" } }),
            "AppDefinition" => json!({ "app": name, "version": "1.0.0", "title": MARK }),
            "WebhookDraft" => json!({ "url": format!("https://{name}.example"), "events": ["kustomer.app.made"] }),
            "WebhookPatch" => json!({ "description": name }),
            "KlassDraft" => json!({ "name": name }),
            "KlassPatch" => json!({ "displayName": name }),
            "CustomerDraft" => json!({ "name": name }),
            "RecordDraft" => self.record(permission, org, &name).await,
            "CustomerMerge" => {
                let other = self.world.api("POST", "/v1/customers", json!({ "name": name })).await.expect(201);
                json!({ "otherId": other.id() })
            }
            "InstanceRelation" => {
                let other = self.world.api("POST", "/v1/customers", json!({ "name": name })).await.expect(201);
                json!({ "relationship": "payer", "type": "customer", "relatedId": other.id() })
            }
            "EventDraft" => json!({ "name": "shop.order.paid", "data": { "name": name } }),
            "ApiKeyDraft" => json!({ "name": name, "roles": [permission] }),
            "AppUpgrade" | "ApiKeyRotation" | "WebhookRotation" | "WorkflowPublication" | "" => Value::Null,
            unknown => panic!("give {unknown} a body here"),
        }
    }

    pub async fn ask(&self, credential: &Credential, method: &str, path: &str, body: &Value) -> Answer {
        let headers: Vec<_> = credential.authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.world.send(method, path, &headers, body).await
    }

    /// All that the first org has, but for when its keys were used.
    pub fn possessions(&self) -> Vec<Item> {
        let other = self.other.to_string();
        let is_own = |item: &Item| {
            // An address is in no org's partition; whose it is stands in the document.
            let is_other = item.key.partition.starts_with(&other)
                || (item.key.partition.starts_with("address#") && item.document.contains(&other));
            !is_other && !item.key.partition.ends_with("#key-use")
        };
        self.store.items().into_iter().filter(is_own).collect()
    }
}

/// Creates one of everything and gives the ids by the word of their collection.
async fn one_of_everything(world: &World) -> HashMap<&'static str, String> {
    let form = world.form_hook_with(json!({ "title": MARK, "tape": true, "debug": true })).await;
    let web = json!({ "title": MARK, "auth": { "scheme": "shopify", "secrets": ["s"] } });
    let web = world.api("POST", "/v1/hooks/web", web).await.expect(201);
    let email = world.email_hook_with(json!({ "title": MARK, "debug": true })).await;
    let mail = own::waiting_mail(world, &email.address, MARK).await;
    let klass = world.api("POST", "/v1/klasses", json!({ "name": MARK, "displayName": MARK })).await.expect(201);
    let user = world.api("POST", "/v1/users", json!({ "name": MARK })).await.expect(201).id();
    let tag = world.api("POST", "/v1/tags", json!({ "name": MARK })).await.expect(201).id();
    let customer = json!({ "name": MARK, "email": "aquila@example.com" });
    let customer = world.api("POST", "/v1/customers", customer).await.expect(201).id();
    let step = |id, action: &str, params, next: Value| json!({ "id": id, "action": action, "params": params, "transitions": next });
    let steps = json!([
        step("c", "kustomer.conversation.create", json!({ "customer": customer, "name": MARK }), always("m")),
        step("m", "kustomer.message.create", json!({ "conversation": "/#steps.c.id", "body": MARK }), always("n")),
        step("n", "kustomer.note.create", json!({ "customer": customer, "body": MARK }), always("o")),
        step("o", "kustomer.company.create", json!({ "name": MARK }), always("k")),
        step(
            "k",
            "kustomer.kobject.create-with-customer",
            json!({ "klassName": MARK, "customer": customer, "title": MARK, "data": {} }),
            json!([])
        ),
    ]);
    let workflow = world.workflow(workflow_of(MARK, &form.event, steps)).await;
    let transaction = world.arrive(&form, json!({ "text": MARK })).await;
    world.post_as(&form, "application/json", "{").await.expect(400);
    let run = world.get(&format!("/v1/workflows/{workflow}/runs")).await.body["data"][0]["id"].clone();
    let run = run.as_str().unwrap().to_owned();
    let steps = world.run_of(&transaction).await["steps"].clone();
    let made = |index: usize| steps[index]["output"]["id"].as_str().unwrap_or_else(|| panic!("{steps}")).to_owned();
    world.api("PUT", &format!("/v1/workflows/{workflow}/draft"), json!({ "description": MARK })).await.expect(200);
    let variable = json!({ "name": MARK, "value": MARK });
    let variable = world.api("POST", &format!("/v1/workflows/{workflow}/variables"), variable).await.expect(201);
    let schedule = json!({ "name": MARK, "timeZone": "Europe/Berlin" });
    let schedule = world.api("POST", "/v1/schedules", schedule).await.expect(201);
    let settings = json!({ "default": { "region": MARK } });
    world.api("PUT", "/v1/apps/shopify/settings", settings).await.expect(200);
    let app = json!({ "app": MARK, "version": "1.0.0", "title": MARK });
    world.api("POST", "/v1/apps/available", app).await.expect(201);
    world.api("POST", "/v1/apps", json!({ "app": MARK })).await.expect(201);
    let webhook = json!({ "url": format!("https://{MARK}.example"), "events": ["kustomer.app.aquila"] });
    let webhook = world.api("POST", "/v1/webhooks", webhook).await.expect(201).id();
    let delivery = world.api("POST", &format!("/v1/webhooks/{webhook}/ping"), Value::Null).await.expect(201).id();
    let key = json!({ "name": MARK, "roles": ["org.permission.api_key.create"] });
    let key = world.api("POST", "/v1/api-keys", key).await.expect(201);
    world.api("PUT", "/v1/org", json!({ "name": MARK })).await.expect(200);
    let entry = world.get("/v1/audit-log").await.expect(200).body["data"][0]["id"].clone();
    let callable = own::callable(world, &world.admin, &format!("{MARK}-callable")).await;
    let recurring = json!({ "title": MARK, "workflow": callable.as_str(), "inputs": { "text": MARK }, "recurrence": { "every": { "days": 1 } } });
    let recurring = world.api("POST", "/v1/recurring-schedules", recurring).await.expect(201).id();
    let scheduled = json!({ "workflow": callable.as_str(), "inputs": { "text": MARK }, "runAt": "2026-12-24" });
    let scheduled = world.api("POST", "/v1/scheduled-runs", scheduled).await.expect(201).id();
    let letter = given_up(world, Some(world.org), MARK, MARK).await;
    HashMap::from([
        ("dead-letters", letter),
        ("callable", callable),
        ("scheduled-runs", scheduled),
        ("recurring-schedules", recurring),
        ("audit-log", entry.as_str().unwrap().to_owned()),
        ("outbox", own::sent_mail(world).await),
        ("form", form.id),
        ("web", web.id()),
        ("email", email.id),
        ("email address", email.address),
        ("mail", mail),
        ("klass", klass.attribute("name").as_str().unwrap().to_owned()),
        ("customers", customer),
        ("workflows", workflow),
        ("workflow-variables", variable.id()),
        ("schedules", schedule.id()),
        ("transactions", transaction),
        ("runs", run),
        ("conversations", made(1)),
        ("messages", made(2)),
        ("notes", made(3)),
        ("companies", made(4)),
        ("instance", made(5)),
        ("users", user),
        ("tags", tag),
        ("webhooks", webhook),
        ("delivery", delivery),
        ("api-keys", key.id()),
        ("app", MARK.to_owned()),
    ])
}
