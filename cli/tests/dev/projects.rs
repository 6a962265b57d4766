//! `hookwright workflows plan|apply|diff|export DIR` against a real `hookwright dev`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Dev;

const APP: &str = include_str!("../../../tests/fixtures/ecommstore.json");

const SECRETS: &str = r#"{"shop": {"secrets": ["s3cret-of-the-shop"]}}"#;

/// What a command did: its exit code, what it said, and what it complained of.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// A folder and an org.
struct Site {
    dev: Dev,
    dir: TempDir,
}

impl Site {
    fn empty() -> Self {
        Self { dev: Dev::start_with(&["--memory"], None), dir: TempDir::new().unwrap() }
    }

    /// With a project in `shop`: three hooks, a klass, an app, a workflow, its tests, and two that name each other.
    fn with_project() -> Self {
        let site = Self::empty();
        site.write(
            "hooks/orders.json",
            &json!({"kind": "form", "title": "Orders", "limit": {"requests": 5, "seconds": 60}}),
        );
        site.write(
            "hooks/shop.json",
            &json!({"kind": "web", "title": "Shop", "auth": {"scheme": "shopify"}, "tape": true, "reply": {"waitSeconds": 10}}),
        );
        site.write(
            "hooks/mails.json",
            &json!({"kind": "email", "title": "Mails", "mail": {"senders": ["shop.example"]}}),
        );
        let klass = json!({"name": "order", "metadata": {"properties": {"orderIDStr": {"displayName": "Order"}, "priceStr": {}, "quantityNum": {}}}});
        site.write("klasses/order.json", &klass);
        site.write_text("apps/ecommstore.json", APP);
        let tutorial = include_str!("../../../tests/fixtures/tutorial-workflow.json");
        let tutorial = tutorial.replace("000000000000000000000000", "${hooks.orders.id}");
        // Every digit, every order of keys and every text that only looks like a placeholder comes through.
        let meta =
            r#"{"name": "order-to-timeline", "meta": {"z": 1e400, "a": "${hooks.shop.hash} $${hooks.x.id} ${y}"},"#;
        site.write_text(
            "workflows/order-to-timeline.json",
            &tutorial.replacen(
                r#"{
  "name": "order-to-timeline","#,
                meta,
                1,
            ),
        );
        site.write_text("workflows/order-to-timeline.test.yaml", "cases: []\n");
        for (name, other) in [("ring-a", "ring-b"), ("ring-b", "ring-a")] {
            site.write(&format!("workflows/{name}.json"), &ring(name, other));
        }
        fs::write(site.dir.path().join("secrets.json"), SECRETS).unwrap();
        site
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("shop").join(file)
    }

    fn write(&self, file: &str, document: &Value) {
        self.write_text(file, &document.to_string());
    }

    fn write_text(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    /// Changes the document in a file.
    fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut document: Value = serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap();
        change(&mut document);
        self.write(file, &document);
    }

    /// `hookwright workflows`, where the folder `shop` is.
    fn workflows(&self, words: &[&str]) -> Done {
        let output = Command::new(env!("CARGO_BIN_EXE_hookwright"))
            .arg("workflows")
            .args(words)
            .args(["--url", &self.dev.url, "--api-key", &self.dev.token])
            .env_clear()
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn does(&self, words: &[&str]) -> String {
        let Done { code, out, err } = self.workflows(words);
        assert_eq!((code, err.as_str()), (0, ""), "{words:?}: {out}");
        out
    }

    fn apply(&self) -> String {
        self.does(&["apply", "shop", "--secrets", "secrets.json"])
    }

    fn get(&self, path: &str) -> Value {
        self.dev.api("GET", path, &Value::Null).1
    }

    /// The attributes of a workflow by its name, with its id.
    fn workflow(&self, name: &str) -> Value {
        let list = self.get("/v1/workflows?pageSize=100");
        let found = list["data"].as_array().unwrap().iter().find(|found| found["attributes"]["name"] == name);
        found.map_or(Value::Null, |found| found["attributes"].clone())
    }
}

/// A workflow that does nothing and names another.
fn ring(name: &str, other: &str) -> Value {
    let way = json!([{"target": "end", "condition": {"op": "true", "values": [true]}}]);
    json!({"name": name, "meta": {"other": format!("${{workflows.{other}.id}}"), "own": format!("${{workflows.{name}.id}}")},
        "trigger": {"eventName": format!("kustomer.hooks.form.${{hooks.orders.id}}.{name}"), "transitions": way},
        "steps": [{"id": "end", "transitions": []}]})
}

/// Every file below `dir` and what is in it.
fn files(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["hooks", "klasses", "apps", "workflows"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_project_is_applied_once_and_a_second_time_does_nothing() {
    let site = Site::with_project();
    let plan = site.workflows(&["plan", "shop", "--exit-code"]);
    assert_eq!(plan.code, 7, "{}{}", plan.out, plan.err);
    assert!(plan.out.ends_with("8 to create, 0 to change, 0 to delete; 0 unchanged.\n"), "{}", plan.out);
    assert!(
        plan.out.contains("+ hook shop: This scheme needs at least one secret. Apply it with --secrets FILE.\n"),
        "{}",
        plan.out
    );
    let refused = site.workflows(&["apply", "shop"]);
    assert_eq!(refused.code, 6);
    assert!(
        refused.err.contains("shop/hooks/shop.json: $.auth.secrets: ") && refused.err.contains("--secrets"),
        "{}",
        refused.err
    );
    assert_eq!(site.get("/v1/klasses/order")["errors"][0]["status"], "404", "nothing was done");

    let told = site.apply();
    assert!(told.ends_with("Done: 8 changed, 0 unchanged.\n"), "{told}");
    assert!(told.contains("to be set with `hookwright apps settings ecommstore`: default.apiKey"), "{told}");
    let live = site.workflow("order-to-timeline");
    let hooks = site.get("/v1/hooks/form");
    let orders = hooks["data"].as_array().unwrap().iter().find(|hook| hook["attributes"]["title"] == "Orders").unwrap();
    assert_eq!(live["trigger"]["eventName"], orders["attributes"]["eventName"]);
    let shop = site.get("/v1/hooks/web")["data"][0]["attributes"].clone();
    assert_eq!((&shop["auth"]["secretCount"], &shop["tape"]), (&json!(1), &json!(true)));
    assert_eq!(shop["reply"]["waitSeconds"], 10);
    assert_eq!(live["meta"]["a"], format!("{} ${{hooks.x.id}} ${{y}}", shop["hash"].as_str().unwrap()));
    for (name, other) in [("ring-a", "ring-b"), ("ring-b", "ring-a")] {
        let (ring, other) = (site.workflow(name), site.workflow(other));
        assert_eq!((&ring["meta"]["other"], &ring["meta"]["own"]), (&other["id"], &ring["id"]));
        assert_ne!(ring["enabled"], json!(false));
    }

    assert_eq!(site.apply(), "Nothing to do; 8 unchanged.\n");
    assert_eq!(site.does(&["plan", "./shop", "--exit-code"]), "Nothing to do; 8 unchanged.\n");
    assert_eq!(site.workflow("order-to-timeline")["rev"], live["rev"]);
}

#[test]
fn what_a_file_says_otherwise_is_told_and_done_and_nothing_else() {
    let site = Site::with_project();
    site.apply();
    let secrets = site.get("/v1/hooks/web")["data"][0]["attributes"]["auth"]["secretCount"].clone();
    site.edit("workflows/ring-a.json", |ring| ring["description"] = json!("Once around."));
    site.edit("hooks/orders.json", |hook| {
        hook.as_object_mut().unwrap().remove("limit");
    });
    site.edit("hooks/shop.json", |hook| hook["auth"]["toleranceSeconds"] = Value::Null);
    site.edit("hooks/mails.json", |hook| hook["mail"] = json!({"policy": {"spam": "drop"}}));
    site.edit("klasses/order.json", |klass| klass["icon"] = json!("box"));
    site.edit("apps/ecommstore.json", |app| app["version"] = json!("0.1.0"));
    let told = site.does(&["diff", "./shop"]);
    for line in [
        "~ klass order\n    + $.icon: \"box\"\n",
        "~ app ecommstore: from version 0.0.1 to 0.1.0\n",
        "    - $.limit: {\"requests\":5,\"seconds\":60}\n",
        "    - $.mail.senders: [\"shop.example\"]\n    + $.mail.policy: {\"spam\":\"drop\"}\n",
        "    + $.description: \"Once around.\"\n",
        "0 to create, 5 to change, 0 to delete; 3 unchanged.\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    assert!(site.does(&["apply", "shop"]).ends_with("Done: 5 changed, 3 unchanged.\n"));
    assert_eq!(site.workflow("ring-a")["description"], "Once around.");
    assert_eq!(site.get("/v1/apps/ecommstore")["data"]["attributes"]["version"], "0.1.0");
    assert_eq!(site.get("/v1/hooks/web")["data"][0]["attributes"]["auth"]["secretCount"], secrets);
    // What a file does not say any more is taken back, from a workflow too.
    site.edit("workflows/ring-a.json", |ring| {
        ring.as_object_mut().unwrap().remove("description");
    });
    site.does(&["apply", "shop"]);
    assert_eq!(site.workflow("ring-a")["description"], Value::Null);
    assert_eq!(site.apply(), "Nothing to do; 8 unchanged.\n");
}

#[test]
fn an_exported_org_is_applied_to_another_one_and_exported_as_it_was() {
    let (site, other) = (Site::with_project(), Site::empty());
    site.apply();
    // What is in the org by hand is exported, too: an event of its own, a title that no file can be called, secrets.
    let hook = json!({"title": "Ü", "eventName": "kustomer.app.mine.posted", "guard": {"honeypot": "h", "turnstileSecret": "s3cret-of-turnstile"}});
    assert_eq!(site.dev.api("POST", "/v1/hooks/form", &hook).0, 201);
    let id = site.workflow("ring-a")["id"].as_str().unwrap().to_owned();
    let variable = json!({"name": "key", "value": "s3cret-of-the-variable"});
    assert_eq!(site.dev.api("POST", &format!("/v1/workflows/{id}/variables"), &variable).0, 201);
    // An update leaves the keys of a document where they were; a file does not tell.
    let way = json!([{"target": "end", "condition": {"op": "true", "values": [true]}}]);
    let late = json!({"steps": [{"id": "end", "transitions": []}], "trigger": {"eventName": "kustomer.customer.create", "transitions": way}, "name": "late"});
    let (_, made) = site.dev.api("POST", "/v1/workflows", &late);
    assert_eq!(
        site.dev
            .api("PUT", made["data"]["links"]["self"].as_str().unwrap(), &json!({"description": "d", "enabled": true}))
            .0,
        200
    );

    let told = site.does(&["export", "./elsewhere"]);
    assert!(told.ends_with("10 written, 0 unchanged.\n"), "{told}");
    let first = files(&site.dir.path().join("elsewhere"));
    let text: String = first.iter().map(|(_, text)| text.as_str()).collect();
    assert!(!text.contains("s3cret") && !text.contains(&id), "{text}");
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"hooks/hook.json") && names.contains(&"hooks/orders.json"), "{names:?}");
    assert!(text.contains("kustomer.hooks.form.${hooks.orders.id}.receive") && text.contains("1e400"), "{text}");

    let elsewhere = site.dir.path().join("elsewhere");
    let secrets = site.dir.path().join("secrets.json");
    let told = other.does(&["apply", elsewhere.to_str().unwrap(), "--secrets", secrets.to_str().unwrap()]);
    assert!(told.ends_with("Done: 10 changed, 0 unchanged.\n"), "{told}");
    other.does(&["export", "./again"]);
    assert_eq!(files(&other.dir.path().join("again")), first);
    assert!(other.does(&["export", "again"]).ends_with("0 written, 10 unchanged.\n"));
}

#[test]
fn a_file_that_says_something_else_is_written_over_by_force_only() {
    let site = Site::with_project();
    site.apply();
    // However it is written, it says the same and stays; so do files that the org does not have.
    let spread = format!("\n\n{}", fs::read_to_string(site.path("hooks/orders.json")).unwrap());
    site.write_text("hooks/orders.json", &spread);
    site.write("hooks/new.json", &json!({"kind": "form", "title": "New"}));
    site.edit("klasses/order.json", |klass| klass["icon"] = json!("box"));
    let refused = site.workflows(&["export", "shop"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("nothing was written: shop/klasses/order.json.") && refused.err.contains("--force"),
        "{}",
        refused.err
    );
    let told = site.does(&["export", "shop", "--force"]);
    assert_eq!(
        told,
        "written: shop/klasses/order.json\nnot in the org: shop/hooks/new.json\n1 written, 7 unchanged.\n"
    );
    assert_eq!(fs::read_to_string(site.path("hooks/orders.json")).unwrap(), spread);
    let document: Value = serde_json::from_str(&site.does(&["export", "shop", "--json"])).unwrap();
    let files = document["data"]["attributes"]["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 9);
    assert!(files.contains(&json!({"file": "shop/hooks/new.json", "part": null, "state": "not_in_org"})), "{files:?}");
}

#[test]
fn what_is_not_in_the_project_goes_only_when_it_is_asked_for_twice() {
    let site = Site::with_project();
    site.apply();
    for file in ["workflows/ring-a.json", "workflows/ring-b.json", "hooks/mails.json", "apps/ecommstore.json"] {
        fs::remove_file(site.path(file)).unwrap();
    }
    fs::remove_dir_all(site.path("klasses")).unwrap();
    let told = site.does(&["plan", "shop", "--exit-code"]);
    assert!(told.contains("? app ecommstore\n") && told.contains("4 in the org and not in the project"), "{told}");
    assert_eq!(site.workflows(&["plan", "shop", "--prune", "--exit-code"]).code, 7);
    let refused = site.workflows(&["apply", "shop", "--prune"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("workflow ring-a, workflow ring-b, hook Mails, app ecommstore")
            && refused.err.contains("--yes"),
        "{}",
        refused.err
    );
    assert_eq!(site.workflow("ring-a")["name"], "ring-a");
    let told = site.does(&["apply", "shop", "--prune", "--yes"]);
    assert!(told.ends_with("Done: 4 changed, 3 unchanged.\n"), "{told}");
    assert_eq!((site.workflow("ring-a"), site.workflow("ring-b")), (Value::Null, Value::Null));
    assert_eq!(site.get("/v1/hooks/email")["data"], json!([]));
    // There is no folder for klasses, so they are nobody's business here; what the app had went with the app.
    let klasses = site.get("/v1/klasses");
    let names: Vec<_> = klasses["data"].as_array().unwrap().iter().map(|klass| &klass["attributes"]["name"]).collect();
    assert_eq!(names, ["order"]);
    assert_eq!(site.does(&["apply", "shop", "--prune"]), "Nothing to do; 3 unchanged.\n");
}

#[test]
fn a_refusal_in_the_middle_tells_what_was_not_done_and_the_next_time_goes_on() {
    let site = Site::with_project();
    site.edit("workflows/ring-a.json", |ring| ring["steps"][0]["action"] = json!("kustomer.app.nowhere.do"));
    let refused = site.workflows(&["apply", "shop", "--secrets", "secrets.json"]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("+ klass order\n") && refused.out.contains("+ hook orders ("), "{}", refused.out);
    let told = "shop/workflows/ring-a.json was refused, and nothing after it was done. Apply again to go on:\nnot done: + workflow ring-a\n";
    assert!(
        refused.err.contains(told) && refused.err.contains("(unknown_action at $.steps[0].action)"),
        "{}",
        refused.err
    );
    let document: Value = serde_json::from_str(&site.workflows(&["apply", "shop", "--json"]).out).unwrap();
    assert_eq!(
        (&document["data"]["attributes"]["done"], &document["data"]["attributes"]["notDone"]),
        (&json!([]), &json!(2))
    );
    site.edit("workflows/ring-a.json", |ring| {
        ring["steps"][0].as_object_mut().unwrap().remove("action");
    });
    assert!(site.apply().ends_with("Done: 2 changed, 6 unchanged.\n"));
    assert_ne!(site.workflow("ring-a")["enabled"], json!(false));
    assert_eq!(site.apply(), "Nothing to do; 8 unchanged.\n");
}

#[test]
fn what_an_org_cannot_be_made_is_told_before_anything_is_done() {
    let site = Site::with_project();
    site.apply();
    assert_eq!(site.dev.api("POST", "/v1/hooks/form", &json!({"title": "Orders"})).0, 201);
    site.edit("hooks/shop.json", |hook| hook["eventName"] = json!("kustomer.app.mine.shop"));
    site.edit("apps/ecommstore.json", |app| app["description"] = json!("Another one."));
    site.write("klasses/ecommstore-order.json", &json!({"name": "ecommstore-order"}));
    site.write("klasses/new.json", &json!({"name": "new"}));
    let refused = site.workflows(&["apply", "shop", "--secrets", "secrets.json"]);
    assert_eq!((refused.code, refused.out.as_str()), (6, ""));
    for told in [
        "shop/hooks/orders.json: $.title: The org has 2 hooks of this kind called \"Orders\": ",
        "(event_changes)",
        "(version_taken)",
        "shop/klasses/ecommstore-order.json: $.name: The klass ecommstore-order belongs to the app ecommstore",
    ] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    assert_eq!(site.get("/v1/klasses/new")["errors"][0]["status"], "404");
    let exported = site.workflows(&["export", "./elsewhere"]);
    assert_eq!(exported.code, 2);
    assert!(exported.err.contains("2 hooks called \"Orders\""), "{}", exported.err);
    site.edit("apps/ecommstore.json", |app| app["version"] = json!("0.0.0"));
    assert!(site.workflows(&["plan", "shop"]).err.contains("(downgrade)"));
}
