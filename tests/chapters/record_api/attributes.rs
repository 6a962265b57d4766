//! What attributes take, each at its limit and one past it.

use domain::{
    RecordKind,
    record::fields::{self, EXTERNAL_ID_LIMIT_CHARS, KEYS_LIMIT, LINE_LIMIT_CHARS, LIST_LIMIT, Shape},
};
use serde_json::{Map, Value, json};
use service::memory::MemoryStore;
use std::sync::Arc;
use tests::world::{NOON, World};

use super::{Kind, made};

/// A text as long as the record may be is one that is much longer than a line.
const LONG_TEXT_CHARS: usize = 100_000;

/// Values that the shape just takes, and those that it just does not.
fn around_the_limit(shape: Shape) -> (Vec<Value>, Vec<Value>) {
    let text = |chars: usize| json!("ä".repeat(chars));
    let list = |entries: usize, entry: &dyn Fn(usize) -> Value| (0..entries).map(entry).collect::<Value>();
    let lists = |limit: usize, entry: &dyn Fn(usize) -> Value| {
        (vec![list(limit, entry), json!([])], vec![list(limit + 1, entry), json!("x"), json!({})])
    };
    match shape {
        Shape::Line => (
            vec![text(LINE_LIMIT_CHARS), json!(7), json!(true)],
            vec![text(LINE_LIMIT_CHARS + 1), json!({}), json!([])],
        ),
        Shape::Text => (vec![text(LONG_TEXT_CHARS), json!(7)], vec![json!({}), json!([])]),
        Shape::ExternalId => {
            (vec![text(EXTERNAL_ID_LIMIT_CHARS), json!(7)], vec![text(EXTERNAL_ID_LIMIT_CHARS + 1), json!({})])
        }
        Shape::Word(words) => (words.iter().map(|word| json!(word)).collect(), vec![json!("odd"), json!(""), json!(1)]),
        Shape::Whole(first, last) => {
            let taken = vec![json!(first), json!(last), json!(last.to_string())];
            (taken, vec![json!(first - 1), json!(last + 1), json!(first.to_string() + ".5"), json!("one"), json!({})])
        }
        Shape::Number => (vec![json!(1.5), json!("-1e400")], vec![json!("one"), json!(true), json!([])]),
        Shape::Flag => (vec![json!(true), json!(false), json!("true")], vec![json!("yes"), json!(1), json!({})]),
        Shape::Instant => (
            vec![json!("2026-11-22T09:30:00Z"), json!("2026-11-22")],
            vec![json!("22.11.2026"), json!("2026-02-30"), json!(1_700_000_000), json!("")],
        ),
        Shape::Lines => {
            let (taken, mut refused) = lists(LIST_LIMIT, &|index| json!(format!("tag {index}")));
            refused.extend([json!([{}]), json!([[]]), json!(["x".repeat(LINE_LIMIT_CHARS + 1)])]);
            (taken, refused)
        }
        Shape::Emails => {
            let (taken, mut refused) = lists(KEYS_LIMIT, &|index| json!(format!("a{index}@example.com")));
            refused.extend([
                json!(["nobody"]),
                json!([{ "type": "home" }]),
                json!([{ "type": "moon", "email": "a@example.com" }]),
            ]);
            (taken, refused)
        }
        Shape::Phones => {
            let (taken, mut refused) = lists(KEYS_LIMIT, &|index| json!(format!("+1 555 01{index:02}")));
            refused.extend([json!(["12"]), json!(["1".repeat(21)]), json!(["call me"]), json!([{ "type": "home" }])]);
            (taken, refused)
        }
        Shape::ExternalIds => {
            ids(lists(KEYS_LIMIT, &|index| json!({ "externalId": format!("x{index}") })), "externalId")
        }
        Shape::Accounts => ids(lists(KEYS_LIMIT, &|index| json!({ "id": format!("a{index}"), "name": "n" })), "id"),
        Shape::List => lists(LIST_LIMIT, &|index| json!({ "any": index })),
        Shape::Email => (
            vec![json!(format!("{}@example.com", "a".repeat(242))), json!(" Ann@Example.com ")],
            vec![
                json!(format!("{}@example.com", "a".repeat(243))),
                json!("kim at example"),
                json!(""),
                json!(1),
                json!([]),
            ],
        ),
        Shape::Object => (vec![json!({}), json!({ "a": [1] })], vec![json!([]), json!("x"), json!(1)]),
        Shape::Any => (vec![json!("x"), json!([1]), json!({ "a": 1 }), json!(false)], Vec::new()),
    }
}

fn ids((mut taken, mut refused): (Vec<Value>, Vec<Value>), key: &str) -> (Vec<Value>, Vec<Value>) {
    let of = |chars: usize| "i".repeat(chars);
    taken.push(json!([{ (key): of(EXTERNAL_ID_LIMIT_CHARS) }, "plain"]));
    refused.extend([json!([{ (key): of(EXTERNAL_ID_LIMIT_CHARS + 1) }]), json!([""]), json!([{}])]);
    (taken, refused)
}

#[tokio::test]
async fn every_attribute_of_every_kind_is_taken_at_its_limit_and_refused_one_past_it() {
    let world = World::new().await;
    for Kind { kind, path, draft, .. } in Kind::all(&world).await {
        let record_kind = RecordKind::try_from(kind.to_owned()).unwrap();
        for (name, shape) in fields::fields(&record_kind) {
            let (taken, refused) = around_the_limit(*shape);
            for value in taken {
                let mut draft = draft.clone();
                draft[*name] = value;
                let answer = world.api("POST", &format!("/v1/{path}"), draft).await;
                assert_eq!(answer.status, 201, "{kind}.{name} {shape:?}: {}", answer.text);
                world.api("DELETE", &format!("/v1/{path}/{}", answer.id()), Value::Null).await.expect(204);
            }
            for value in refused {
                let mut draft = draft.clone();
                draft[*name] = value.clone();
                let answer = world.api("POST", &format!("/v1/{path}"), draft).await;
                assert_eq!(answer.status, 400, "{kind}.{name} {shape:?} took {value}");
                assert_eq!(answer.body["errors"][0]["source"]["path"], format!("$.{name}"), "{kind} {answer:?}");
                let sentence = answer.body["errors"][0]["detail"].as_str().unwrap();
                assert!(
                    sentence.starts_with(&format!("`{name}` has to be ")) || sentence.contains("needs"),
                    "{sentence}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_attribute_that_a_kind_has_not_is_refused_with_those_that_it_has() {
    let world = World::new().await;
    for Kind { kind, path, draft, .. } in Kind::all(&world).await {
        let record_kind = RecordKind::try_from(kind.to_owned()).unwrap();
        let own = format!("/v1/{path}/{}", made(&world, path, draft.clone()).await);
        let mut wrong = draft.clone();
        wrong["colour"] = json!("red");
        let answers = [
            world.api("POST", &format!("/v1/{path}"), wrong).await.expect(400),
            world.api("PUT", &own, json!({ "colour": "red" })).await.expect(400),
        ];
        for answer in answers {
            assert_eq!(
                (answer.code(), &answer.body["errors"][0]["source"]["path"]),
                ("unknown_attribute", &json!("$.colour"))
            );
            let sentence = answer.body["errors"][0]["detail"].as_str().unwrap();
            assert!(sentence.starts_with(&format!("A {kind} has no attribute `colour`; it has ")), "{sentence}");
            assert!(sentence.ends_with("Attributes of your own go into `custom`."), "{sentence}");
            for (name, _) in fields::fields(&record_kind) {
                assert!(sentence.contains(name), "{name}: {sentence}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_kind_cannot_be_without_is_neither_left_out_nor_taken_away() {
    let world = World::new().await;
    for Kind { kind, path, draft, .. } in Kind::all(&world).await {
        let record_kind = RecordKind::try_from(kind.to_owned()).unwrap();
        let own = format!("/v1/{path}/{}", made(&world, path, draft.clone()).await);
        for name in fields::required(&record_kind) {
            for nothing in [Value::Null, json!(""), json!(" \n")] {
                let mut without = draft.clone();
                without[*name] = nothing.clone();
                for answer in [
                    world.api("POST", &format!("/v1/{path}"), without.clone()).await,
                    world.api("PUT", &own, json!({ (*name): nothing })).await,
                ] {
                    let answer = answer.expect(400);
                    assert_eq!(answer.body["errors"][0]["source"]["path"], format!("$.{name}"), "{kind}");
                    assert!(answer.text.contains(&format!("A {kind} needs `{name}`.")), "{answer:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn custom_attributes_stand_beside_each_other_and_null_clears_one() {
    let world = World::new().await;
    for Kind { kind, path, mut draft, .. } in Kind::all(&world).await {
        draft["custom"] = json!({ "priceStr": "a", "quantityNum": "2" });
        let own = format!("/v1/{path}/{}", made(&world, path, draft).await);
        let changes = json!({ "custom": { "priceStr": null, "orderIDStr": "7" } });
        let changed = world.api("PUT", &own, changes).await.expect(200);
        assert_eq!(changed.attribute("custom"), json!({ "quantityNum": 2, "orderIDStr": "7" }), "{kind}");
        for (wrong, code) in [
            (json!("x"), "bad_attribute"),
            (json!([1]), "bad_attribute"),
            (json!({ "size": 1 }), "wrong_custom"),
            (json!({ "quantityNum": "two" }), "wrong_custom"),
        ] {
            let refused = world.api("PUT", &own, json!({ "custom": wrong })).await.expect(400);
            assert_eq!(refused.code(), code, "{kind}");
        }
        let cleared = world.api("PUT", &own, json!({ "custom": null })).await.expect(200);
        let left = if kind.starts_with("kobject") { json!({}) } else { Value::Null };
        assert_eq!(cleared.attribute("custom"), left, "{kind}");
    }
}

#[tokio::test]
async fn a_record_has_at_most_1_mib_of_json() {
    const LIMIT_BYTES: usize = 1_048_576;
    let clock = Arc::new(service::memory::FixedWorld::at(domain::Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let customer = made(&world, "customers", json!({ "name": "Ann" })).await;
    let note = made(&world, "notes", json!({ "customer": customer, "body": "x".repeat(600_000) })).await;
    let own = format!("/v1/notes/{note}");
    let items = store.items();
    let item = items.iter().find(|item| item.key.partition.ends_with(&format!("#note#{note}"))).unwrap();
    // An attribute comes with its name, two quotation marks around both, a colon and a comma.
    let left = LIMIT_BYTES - item.document.len() - "\"externalId\":\"\",".len();
    let ids: Vec<String> = vec!["y".repeat(left - 255 - "\"attachments\":[\"\"],".len()), "z".repeat(255)];
    let fits = |extra: usize| {
        let filling = format!("{}{}", ids[0], "y".repeat(extra));
        let members = [("externalId", json!(ids[1])), ("attachments", json!([filling]))];
        Value::Object(Map::from_iter(members.map(|(name, value)| (name.to_owned(), value))))
    };
    let refused = world.api("PUT", &own, fits(1)).await.expect(400);
    assert_eq!(refused.code(), "record_too_large");
    world.api("PUT", &own, fits(0)).await.expect(200);
    let items = store.items();
    let item = items.iter().find(|item| item.key.partition.ends_with(&format!("#note#{note}"))).unwrap();
    assert_eq!(item.document.len(), LIMIT_BYTES);
}
