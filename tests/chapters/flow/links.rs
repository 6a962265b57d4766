//! Links that answer a step: their whole life through the doors, and whatever is tried with others.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{OrgId, RunId};
use serde_json::{Value, json};
use service::{
    Executor,
    ports::Store,
    runs::{find_link_key, find_or_make_link_key},
};
use tests::{Answer, World, world::always};

use super::{DAY, echo, run, run_of, step};

const BASE: &str = "http://hooks.test";
const JSON: (&str, &str) = ("accept", "application/json");

fn ask(question: Value, transitions: Value) -> Value {
    json!({ "id": "ask", "action": "flow.wait", "params": question, "transitions": transitions })
}

/// A step that leaves the link that it makes.
fn mail(link: &str, transitions: Value) -> Value {
    echo("mail", json!({ "link": link }), transitions)
}

fn refund() -> Value {
    json!({ "answer": { "question": "Refund?", "choices": ["approve", "reject"] }, "timeout": "P2D" })
}

/// A run that has made `link` in the step `mail`, which leaves it, and waits at the step `ask`.
async fn waiting(world: &World, link: &str, question: Value) -> (String, String) {
    let end = echo("after", json!({ "choice": "/#steps.ask.choice" }), json!([]));
    let id = run_of(world, json!([mail(link, always("ask")), ask(question, always("after")), end]), json!({})).await;
    (id.clone(), left(world, &id, "mail").await)
}

/// The path of the link that the step has left. The API masks it, so it is read where it is kept.
async fn left(world: &World, run: &str, step: &str) -> String {
    let stored =
        service::runs::find_run(world.store.as_ref(), world.org, RunId::parse(run).unwrap()).await.unwrap().unwrap();
    let entry = stored.entries.iter().rev().find(|entry| entry.entry.step == step).unwrap();
    let engine::journal::Outcome::Output(output) = &entry.entry.outcome else { panic!("{entry:?}") };
    output["output"]["link"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
}

async fn open(world: &World, path: &str) -> Answer {
    world.send("GET", path, &[("accept", "text/html")], "").await
}

async fn post(world: &World, path: &str, body: &str) -> Answer {
    let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
    world.send("POST", path, &headers, body.to_owned()).await
}

#[tokio::test]
async fn a_link_shows_the_question_and_answers_when_somebody_presses_a_button() {
    let world = World::new().await;
    let (id, path) = waiting(&world, "/#fn:answerLink,ask", refund()).await;
    for _ in 0..2 {
        let page = open(&world, &path).await.expect(200);
        assert!(
            page.text.contains("<p>Refund?</p>") && page.text.contains("value=\"reject\">reject</button>"),
            "{page:?}"
        );
        assert!(!page.text.contains("<script") && !page.text.contains("http"), "{page:?}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(page.headers[name], value);
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; form-action 'self'"), "{policy}");
        world.work().await;
        assert_eq!(run(&world, &id).await["state"], "waiting", "opening a link answers nothing");
    }
    assert!(post(&world, &path, "choice=perhaps").await.expect(400).text.contains("approve, reject"));
    post(&world, &path, "").await.expect(400);
    assert!(post(&world, &path, "choice=reject").await.expect(200).text.contains("You answered: reject."));
    // The run has not come to see the answer yet.
    for late in [open(&world, &path).await, post(&world, &path, "choice=approve").await] {
        assert!(late.expect(409).text.contains("answered before"));
    }
    world.clock.pass_seconds(1);
    world.work().await;
    let over = run(&world, &id).await;
    assert_eq!(step(&over, "after")["output"]["output"]["choice"], "reject");
    assert_eq!(step(&over, "ask")["output"]["by"], json!({ "link": true }));
    for late in [open(&world, &path).await, post(&world, &path, "choice=approve").await] {
        assert!(late.expect(409).text.contains("answered before"));
    }
    world.send("PUT", &path, &[], "").await.expect(405);
}

#[tokio::test]
async fn a_link_with_a_choice_gives_that_alone() {
    let world = World::new().await;
    let (id, path) = waiting(&world, "{{answerLink \"ask\" \"approve\"}}", refund()).await;
    let page = open(&world, &path).await.expect(200);
    assert!(page.text.contains("approve") && !page.text.contains("reject"), "{page:?}");
    post(&world, &path, "choice=reject").await.expect(400);
    post(&world, &path, "").await.expect(200);
    world.work().await;
    assert_eq!(step(&run(&world, &id).await, "after")["output"]["output"]["choice"], "approve");
}

#[tokio::test]
async fn a_choice_that_the_question_does_not_have_is_refused() {
    let world = World::new().await;
    let (_, path) = waiting(&world, "/#fn:answerLink,ask,maybe", refund()).await;
    open(&world, &path).await.expect(400);
    post(&world, &path, "choice=approve").await.expect(400);
}

#[tokio::test]
async fn programs_are_answered_in_json() {
    let world = World::new().await;
    let (_, path) = waiting(&world, "/#fn:answerLink,ask", refund()).await;
    let question = world.send("GET", &path, &[JSON], "").await.expect(200);
    assert_eq!(question.attribute("question"), "Refund?");
    assert_eq!(question.attribute("choices"), json!(["approve", "reject"]));
    assert_eq!(question.attribute("expiresAt"), "2027-11-23T12:00:00.000Z");
    assert_eq!(world.send("POST", &path, &[JSON], "choice=x").await.expect(400).code(), "bad_choice");
    let large = format!("choice={}", "x".repeat(4_096 - 7));
    assert_eq!(world.send("POST", &path, &[JSON], large.clone()).await.expect(400).code(), "bad_choice");
    assert_eq!(world.send("POST", &path, &[JSON], large + "x").await.expect(413).code(), "body_too_large");
    let answer = world.send("POST", &path, &[JSON], "choice=approve").await.expect(200);
    assert_eq!(answer.attribute("choice"), "approve");
    let again = world.send("POST", &path, &[JSON], "choice=approve").await.expect(409);
    assert_eq!((again.code(), &again.headers["cache-control"]), ("answered_before", &"no-store".parse().unwrap()));
}

#[tokio::test]
async fn where_anything_may_be_answered_there_is_one_button() {
    let world = World::new().await;
    let (id, path) = waiting(&world, "/#fn:answerLink,ask", json!({ "answer": true, "timeout": "P2D" })).await;
    assert!(open(&world, &path).await.expect(200).text.contains("<button>Answer</button>"));
    post(&world, &path, "").await.expect(200);
    world.work().await;
    assert_eq!(step(&run(&world, &id).await, "ask")["output"]["reason"], "answer");
}

#[tokio::test]
async fn a_link_is_late_when_the_time_is_up_or_the_run_is_over_or_a_year_is() {
    let world = World::new().await;
    let (_, path) = waiting(&world, "/#fn:answerLink,ask", refund()).await;
    world.later(2 * DAY).await;
    assert!(post(&world, &path, "choice=approve").await.expect(409).text.contains("its time is up"));

    let (id, path) = waiting_again(&world, "cancelled").await;
    world.api("POST", &format!("/v1/runs/{id}/cancel"), Value::Null).await.expect(200);
    assert!(post(&world, &path, "choice=approve").await.expect(409).text.contains("is over"));
    open(&world, &path).await.expect(409);

    let (_, path) = waiting_again(&world, "expired").await;
    world.clock.pass_seconds(366 * DAY - 1);
    open(&world, &path).await.expect(200);
    world.clock.pass_seconds(1);
    open(&world, &path).await.expect(410);
    post(&world, &path, "choice=approve").await.expect(410);
}

/// Another run like that, of a workflow of its own.
async fn waiting_again(world: &World, name: &str) -> (String, String) {
    let question = json!({ "answer": { "choices": ["approve"] } });
    let steps = json!([mail("/#fn:answerLink,ask", always("ask")), ask(question, json!([]))]);
    let workflow = super::callable(world, name, steps).await;
    let id = super::called(world, &workflow, json!({})).await;
    (id.clone(), left(world, &id, "mail").await)
}

#[tokio::test]
async fn a_link_of_one_round_answers_no_question_of_the_next() {
    let world = World::new().await;
    let again = json!([{ "target": "mail", "condition": { "op": "eq", "values": ["/#steps.ask.choice", "reject"] } }]);
    let mail = mail("/#fn:answerLink,ask", always("ask"));
    let id = run_of(&world, json!([mail, ask(refund(), again)]), json!({})).await;
    let first = left(&world, &id, "mail").await;
    world.clock.pass_seconds(60);
    post(&world, &first, "choice=reject").await.expect(200);
    world.work().await;
    let second = left(&world, &id, "mail").await;
    assert_ne!(first, second);
    post(&world, &first, "choice=approve").await.expect(409);
    world.clock.pass_seconds(60);
    post(&world, &second, "choice=approve").await.expect(200);
    world.work().await;
    assert_eq!(run(&world, &id).await["state"], "succeeded");
}

#[tokio::test]
async fn a_link_that_is_made_in_a_loop_answers_its_own_item() {
    let world = World::new().await;
    let params = json!({ "items": ["a", "b", "c"], "do": "mail", "concurrency": 3 });
    let steps = json!([
        { "id": "each", "action": "flow.for-each", "params": params, "transitions": [] },
        mail("/#fn:answerLink,ask", always("ask")),
        ask(refund(), json!([])),
    ]);
    let id = run_of(&world, steps, json!({})).await;
    let stored =
        service::runs::find_run(world.store.as_ref(), world.org, RunId::parse(&id).unwrap()).await.unwrap().unwrap();
    let mut links = std::collections::BTreeMap::new();
    for entry in stored.entries.iter().filter(|entry| entry.entry.step == "mail") {
        let engine::journal::Outcome::Output(output) = &entry.entry.outcome else { panic!("{entry:?}") };
        let link = output["output"]["link"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
        links.insert(entry.entry.branch.clone(), link);
    }
    world.clock.pass_seconds(60);
    post(&world, &links["each#1.1"], "choice=reject").await.expect(200);
    world.work().await;
    post(&world, &links["each#1.1"], "choice=reject").await.expect(409);
    for branch in ["each#1.0", "each#1.2"] {
        post(&world, &links[branch], "choice=approve").await.expect(200);
    }
    world.work().await;
    let results = step(&run(&world, &id).await, "each")["output"]["results"].clone();
    let choices: Vec<&Value> = results.as_array().unwrap().iter().map(|result| &result["choice"]).collect();
    assert_eq!(choices, ["approve", "reject", "approve"]);
}

#[tokio::test]
async fn whatever_is_no_link_of_this_org_gets_one_and_the_same_page() {
    let world = World::new().await;
    let (_, path) = waiting(&world, "/#fn:answerLink,ask", refund()).await;
    let token = path.strip_prefix("/v1/answers/").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("hwanswer").unwrap()).unwrap();
    let again = |bytes: &[u8]| format!("hwanswer{}", URL_SAFE_NO_PAD.encode(bytes));
    let with_org = |org: &str| again(&[&hex::decode(org).unwrap(), &bytes[12..]].concat());
    // Another org, which has a key of its own.
    let other = OrgId::parse("000000000000000000000001").unwrap();
    find_or_make_link_key(world.store.as_ref(), world.clock.as_ref(), other).await.unwrap();
    let mut flipped = bytes.clone();
    flipped[30] ^= 1;
    let mut tag = bytes.clone();
    *tag.last_mut().unwrap() ^= 0x80;
    let (mut bodies, mut asked) = (std::collections::BTreeSet::new(), 0);
    for bad in [
        token[..token.len() - 1].to_owned(),
        token[..20].to_owned(),
        "hwanswer".to_owned(),
        token.to_uppercase(),
        token.strip_prefix("hwanswer").unwrap().to_owned(),
        again(&flipped),
        again(&tag),
        with_org("000000000000000000000001"),
        with_org("000000000000000000000002"),
        format!("{token}A"),
        format!("{token}{}", "A".repeat(3_000)),
        "a".repeat(6_000),
        "not base64!".replace(' ', "%20"),
        "%C3%BCml%C3%A4ut".to_owned(),
        format!("{token}%00"),
        format!("%20{token}"),
        "null".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let headers = [("accept", "text/html")];
            let answer =
                world.send(method, &format!("/v1/answers/{bad}"), &headers, "choice=approve").await.expect(404);
            bodies.insert((answer.text, format!("{:?}", answer.headers)));
            asked += 1;
        }
    }
    assert_eq!((bodies.len(), asked), (1, 34), "{bodies:?}");
    assert_eq!(world.send("GET", "/v1/answers/null", &[JSON], "").await.expect(404).code(), "unknown_link");
    open(&world, &path).await.expect(200);
}

#[tokio::test]
async fn what_strangers_write_into_a_question_is_only_shown() {
    let world = World::new().await;
    let question = json!({ "answer": { "question": "<script>alert('1')</script> & \"more\"\nlines", "choices": ["\"><img src=x>"] } });
    let (_, path) = waiting(&world, "/#fn:answerLink,ask", question).await;
    let page = open(&world, &path).await.expect(200).text;
    assert!(
        page.contains("<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;<br>lines</p>"),
        "{page}"
    );
    assert!(page.contains("value=\"&quot;&gt;&lt;img src=x&gt;\""), "{page}");
    let taken = post(&world, &path, "choice=%22%3E%3Cimg+src%3Dx%3E").await.expect(200).text;
    assert!(taken.contains("&lt;img src=x&gt;") && !taken.contains("<img"), "{taken}");
}

#[tokio::test]
async fn a_link_is_a_mask_wherever_a_run_is_read() {
    let world = World::new().await;
    let link = json!({ "html": "<a href=\"{{{answerLink \"ask\"}}}\">here</a>", "ok": "/#fn:answerLink,ask,approve" });
    let condition =
        json!([{ "target": "ask", "condition": { "op": "contains", "values": ["/#fn:answerLink,ask", "http"] } }]);
    let id = run_of(&world, json!([echo("mail", link, condition), ask(refund(), json!([]))]), json!({})).await;
    let shown = world.get(&format!("/v1/runs/{id}")).await.expect(200);
    assert!(!shown.text.contains("hwanswer"), "{}", shown.text);
    assert_eq!(step(&run(&world, &id).await, "mail")["input"]["input"]["ok"], "••••••••");
    assert_eq!(
        step(&run(&world, &id).await, "mail")["output"]["output"]["ok"],
        "http://hooks.test/v1/answers/••••••••"
    );
    assert_eq!(run(&world, &id).await["state"], "waiting");
}

#[tokio::test]
async fn without_a_public_address_the_step_fails_and_says_what_to_set() {
    let mut world = World::new().await;
    world.executor = Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone());
    let id = run_of(&world, json!([mail("/#fn:answerLink,ask", json!([]))]), json!({})).await;
    let over = run(&world, &id).await;
    assert_eq!((&over["state"], &over["error"]["code"]), (&json!("failed"), &json!("no_public_address")));
    assert!(over["error"]["message"].as_str().unwrap().contains("PublicUrl"), "{over:#}");
}

#[tokio::test]
async fn an_org_has_one_key_whoever_makes_it() {
    let world = World::new().await;
    let store: &dyn Store = world.store.as_ref();
    assert_eq!(find_link_key(store, world.org).await.unwrap(), None);
    let make = || find_or_make_link_key(store, world.clock.as_ref(), world.org);
    let (one, other) = tokio::join!(make(), make());
    assert_eq!(
        (one.unwrap(), find_link_key(store, world.org).await.unwrap()),
        (other.as_ref().unwrap().clone(), Some(other.unwrap()))
    );

    // Executors that know nothing of each other, and the API.
    let (_, path) = waiting(&world, "/#fn:answerLink,ask", refund()).await;
    let second = Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone()).with_address(Some(BASE));
    open(&world, &path).await.expect(200);
    let steps = json!([mail("/#fn:answerLink,ask", always("ask")), ask(refund(), json!([]))]);
    let workflow = super::callable(&world, "second", steps).await;
    let call = format!("/v1/workflows/{workflow}/call?wait=0");
    let id = world.api("POST", &call, json!({})).await.expect(202).id();
    world.work_on(&second).await;
    let path = left(&world, &id, "mail").await;
    assert_ne!(open(&world, &path).await.status, 404);
}

#[tokio::test]
async fn whoever_may_answer_runs_makes_a_link_for_somebody_else() {
    let world = World::new().await;
    let id = run_of(&world, json!([ask(refund(), json!([]))]), json!({})).await;
    let links = format!("/v1/runs/{id}/answer-links");
    let made = world.api("POST", &links, json!({ "choice": "approve" })).await.expect(200);
    assert_eq!((made.attribute("step"), made.attribute("choice")), (json!("ask"), json!("approve")));
    assert_eq!(made.attribute("expiresAt"), "2027-11-23T12:00:00.000Z");
    let path = made.attribute("url").as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
    open(&world, &path).await.expect(200);
    assert_eq!(world.api("POST", &links, json!({ "choice": "x" })).await.expect(400).code(), "bad_attribute");
    assert_eq!(world.api("POST", &links, json!({ "step": "x" })).await.expect(409).code(), "not_waiting");
    let whole = world.api("POST", &links, Value::Null).await.expect(200);
    assert_eq!(whole.attribute("choice"), Value::Null);
    world.clock.pass_seconds(60);
    post(&world, &path, "").await.expect(200);
    world.work().await;
    assert_eq!(world.api("POST", &links, json!({})).await.expect(409).code(), "run_over");
    let log = world.get("/v1/audit-log?pageSize=100").await.expect(200);
    assert!(!log.text.contains("hwanswer") && !log.text.contains("link-key"), "{}", log.text);
}
