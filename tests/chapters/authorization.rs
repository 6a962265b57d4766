//! Who may do what: every route and every door, with every kind of key, in one's own org and in another.
//!
//! The table is made from [`ROUTES`], so that a route nobody thought of is asked too.

use domain::OrgId;
use serde_json::{Value, json};
use service::http::{ROUTES, Route, RouteMethod};
use tests::{
    Answer,
    estate::{ABSENT_ID, ABSENT_NAME, Credential, Estate, MARK, Verdict},
    world::workflow_of,
};

/// The status that the route declares for a request it takes.
fn declared(route: &Route) -> u16 {
    match route.method {
        // Nobody carries the run forward here, so it is still under way when the wait is over.
        RouteMethod::Post if route.path.ends_with("/call") => 202,
        RouteMethod::Post if route.creates => 201,
        RouteMethod::Delete => 204,
        RouteMethod::Get | RouteMethod::Post | RouteMethod::Put | RouteMethod::Patch => 200,
    }
}

/// An answer as it is but for the parts of the path that it was asked with.
fn without(answer: &Answer, parts: [&str; 2]) -> (u16, http::HeaderMap, String) {
    let named = parts.iter().filter(|part| !part.is_empty());
    let text = named.fold(answer.text.clone(), |text, part| text.replace(part, "*"));
    (answer.status, answer.headers.clone(), text)
}

#[tokio::test]
async fn every_route_answers_every_kind_of_key_of_both_orgs_as_it_declares() {
    let estate = Estate::new().await;
    let mut asked = 0;
    for route in ROUTES {
        let permission = route.permission.unwrap_or("org.permission.none.at_all");
        for (kind, org) in kinds(route).iter().flat_map(|kind| [(kind, estate.world.org), (kind, estate.other)]) {
            for credential in estate.credentials(org, permission).await {
                check(&estate, route, kind, org, permission, &credential).await;
                asked += 1;
            }
        }
    }
    let rows: usize = ROUTES.iter().map(|route| kinds(route).len()).sum();
    assert_eq!(asked, rows * 2 * 21);
}

/// The kinds of hooks that the route is asked for. Samples are requests, of which email hooks get none.
fn kinds(route: &Route) -> &'static [&'static str] {
    match (route.path.contains("{kind}"), route.path.ends_with("/samples")) {
        (true, false) => &["form", "web", "email"],
        (true, true) => &["form", "web"],
        (false, _) => &[""],
    }
}

async fn check(estate: &Estate, route: &Route, kind: &str, org: OrgId, permission: &str, credential: &Credential) {
    let (method, is_own) = (route.method.as_http(), org == estate.world.org);
    let (id, name) = estate.parts(route, kind).await;
    let body = estate.body_for(route, &name, permission, org).await;
    let query = estate.query(route, org).await;
    let path = |id: &str, name: &str| {
        let path = route.path.replace("{kind}", kind).replace("{id}", id).replace("{version}", "1");
        path.replace("{name}", name).replace("{mail}", name).replace("{delivery}", name) + &query
    };
    let case =
        format!("{method} {} {kind}: {} of {}", route.path, credential.name, if is_own { "own" } else { "other" });
    let has_parts = route.path.replace("{kind}", kind).contains('{');
    let is_scoped = has_parts && !is_same_everywhere(route);

    let before = estate.possessions();
    let answer = estate.ask(credential, method.as_str(), &path(&id, &name), &body).await;
    let may = route.permission.is_none() || credential.verdict == Verdict::Admitted;
    if !may || !is_own {
        assert!(before == estate.possessions(), "{case} changed something");
    }
    match (may, credential.verdict) {
        (false, Verdict::Unauthenticated(code)) => assert_eq!((answer.status, answer.code()), (401, code), "{case}"),
        (false, _) => {
            assert_eq!((answer.status, answer.code()), (403, "role_missing"), "{case}");
            assert!(answer.text.contains(permission), "{case}");
        }
        (true, _) if is_own || !is_scoped => assert_eq!(answer.status, declared(route), "{case} {answer:?}"),
        // Runs outlive their workflow and instances their klass, so a list of them may be asked for anywhere.
        (true, _) if ["/{id}/runs", "/{name}/instances"].iter().any(|end| route.path.ends_with(end)) => {
            assert_eq!(answer.body["data"], json!([]), "{case}");
        }
        (true, _) => assert_eq!((answer.status, answer.code()), (404, "not_found"), "{case}"),
    }
    if may && is_own {
        return;
    }
    if is_scoped {
        let (absent_id, absent_name) = (ABSENT_ID, if id.is_empty() { ABSENT_NAME } else { &name });
        let absent = estate.ask(credential, method.as_str(), &path(absent_id, absent_name), &body).await;
        assert_eq!(without(&answer, [&id, &name]), without(&absent, [absent_id, absent_name]), "{case}");
    }
    if method == http::Method::GET && route.path != "/v1/api-keys" {
        assert!(
            !without(&answer, [&id, &name]).2.contains(MARK) || is_other_orgs_list(route),
            "{case} {}",
            answer.text
        );
    }
}

/// Built-in apps are, and so is which of them may have settings.
fn is_same_everywhere(route: &Route) -> bool {
    let is_read = route.method == RouteMethod::Get && route.path == "/v1/apps/{name}";
    is_read || route.path == "/v1/apps/{name}/settings" || route.path.starts_with("/v1/actions")
}

/// Lists in which the other org finds what this table has made there itself.
fn is_other_orgs_list(route: &Route) -> bool {
    route.permission.is_some() && !route.path.contains("{id}") && !route.path.contains("{name}")
}

#[tokio::test]
async fn lists_and_names_of_one_org_say_nothing_of_another() {
    let estate = Estate::new().await;
    let admin = estate.key(estate.other, "org.admin", None).await;
    for path in [
        "hooks/form",
        "hooks/web",
        "hooks/email",
        "workflows",
        "schedules",
        "klasses",
        "customers",
        "companies",
        "users",
        "tags",
        "klasses/aquila/instances",
        "webhooks",
    ] {
        let list = estate.world.api_as(&admin, "GET", &format!("/v1/{path}"), Value::Null).await.expect(200);
        assert_eq!(list.body["data"], json!([]), "{path}");
    }
    let keys = estate.world.api_as(&admin, "GET", "/v1/api-keys", Value::Null).await.expect(200);
    assert_eq!(keys.body["data"].as_array().unwrap().len(), 1);

    // A name or an address that is taken in one org is free in the other.
    let (id, instance) = (&estate.ids["customers"], &estate.ids["instance"]);
    for path in
        ["customers/email=aquila@example.com", &format!("customers/{id}"), &format!("klasses/{MARK}/{instance}")]
    {
        estate.world.get(&format!("/v1/{path}")).await.expect(200);
        estate.world.api_as(&admin, "GET", &format!("/v1/{path}"), Value::Null).await.expect(404);
    }
    let workflow = workflow_of(MARK, "kustomer.app.made", json!([{ "id": "end", "transitions": [] }]));
    for (path, draft) in [
        ("/v1/klasses", json!({ "name": MARK })),
        ("/v1/customers", json!({ "email": "aquila@example.com" })),
        ("/v1/tags", json!({ "name": MARK })),
        ("/v1/workflows", workflow),
    ] {
        estate.world.api("POST", path, draft.clone()).await.expect(409);
        estate.world.api_as(&admin, "POST", path, draft).await.expect(201);
    }
}

#[tokio::test]
async fn the_doors_take_keys_as_they_declare_and_tell_other_orgs_nothing() {
    let estate = Estate::new().await;
    let world = &estate.world;
    let bearer = world.api("POST", "/v1/hooks/web", json!({ "title": MARK })).await.expect(201);
    let web = format!("/v1/hooks/web/{}", bearer.attribute("hash").as_str().unwrap());
    let web_with_org = web.replace("/web/", &format!("/web/{}/", world.org));
    let unknown = format!("/v1/hooks/web/{}", "0".repeat(64));
    let form = world.form_hook().await;
    let foreign = format!("/v1/hooks/form/{}/{}", estate.other, form.hash);
    let body = json!({ "a": 1 });
    for org in [world.org, estate.other] {
        for credential in estate.credentials(org, "org.hooks").await {
            let case = format!("{} of {org}", credential.name);
            for path in [&web, &web_with_org] {
                let depth = world.queue.depth();
                let answer = estate.ask(&credential, "POST", path, &body).await;
                let absent = estate.ask(&credential, "POST", &unknown, &body).await;
                assert_eq!((absent.status, absent.code()), (404, "unknown_address"), "{case}");
                match credential.verdict {
                    _ if credential.names_org && org != world.org => {
                        assert_eq!(without(&answer, ["", ""]), without(&absent, ["", ""]), "{case}");
                    }
                    Verdict::Unauthenticated(code) => assert_eq!((answer.status, answer.code()), (401, code), "{case}"),
                    Verdict::Forbidden => assert_eq!((answer.status, answer.code()), (403, "role_missing"), "{case}"),
                    Verdict::Admitted => assert_eq!(answer.status, 202, "{case}"),
                }
                assert_eq!(world.queue.depth() - depth, usize::from(answer.status == 202), "{case}");
            }
            // A form asks for no key, and what comes with one is neither better nor worse for it.
            assert_eq!(estate.ask(&credential, "POST", &form.path, &body).await.status, 202, "{case}");
            assert_eq!(estate.ask(&credential, "POST", &foreign, &body).await.code(), "unknown_address", "{case}");
        }
    }
}

#[tokio::test]
async fn cookies_other_headers_and_queries_let_nobody_in() {
    let estate = Estate::new().await;
    let world = &estate.world;
    let key = estate.key(world.org, "org.hooks", None).await;
    let bearer = world.api("POST", "/v1/hooks/web", json!({ "title": MARK })).await.expect(201);
    let web = format!("/v1/hooks/web/{}", bearer.attribute("hash").as_str().unwrap());
    let routes = ROUTES.iter().filter(|route| route.permission.is_some());
    let mut doors: Vec<_> = routes.map(|route| (route.method.as_http(), route.path.to_owned(), &world.admin)).collect();
    doors.push((http::Method::POST, web, &key));
    for (method, path, token) in doors {
        let path = path.replace("{kind}", "form").replace("{id}", ABSENT_ID);
        let path = path.replace("{name}", MARK).replace("{mail}", ABSENT_ID).replace("{version}", "1");
        let path = path.replace("{delivery}", ABSENT_ID);
        let (with_scheme, cookie) = (format!("Bearer {token}"), format!("authorization=Bearer {token}; token={token}"));
        let query = ["access_token", "token", "api_key", "apiKey", "key", "authorization", "Authorization"];
        let query: Vec<String> = query.iter().map(|name| format!("{name}={token}&{name}=Bearer%20{token}")).collect();
        let headers = [
            ("cookie", cookie.as_str()),
            ("proxy-authorization", &with_scheme),
            ("x-authorization", &with_scheme),
            ("x-forwarded-authorization", &with_scheme),
            ("x-api-key", token),
            ("api-key", token),
            ("x-kustomer-api-key", token),
            ("x-amz-security-token", token),
        ];
        let path = format!("{path}?{}", query.join("&"));
        let answer = world.send(method.as_str(), &path, &headers, "{}").await;
        assert_eq!((answer.status, answer.code()), (401, "no_credentials"), "{method} {path}");
    }
}
