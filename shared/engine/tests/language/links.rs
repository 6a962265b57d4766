//! Links that answer a step: what `answerLink` gives, and where it gives nothing or a mask.

use domain::{OrgId, RunId, Timestamp};
use engine::answer_link::{AnswerLink, LinkKey, Unverified};
use engine::expression::{Asker, Context, resolve};
use engine::surroundings::{AnswerLinks, LinkSigner};
use engine::{Setup, Surroundings};
use serde_json::{Value, json};

use crate::support::{NOON, steps};

const RUN: &str = "6a1f2e3d4c5b6a7980a1b2c3";

fn signed() -> Setup {
    let org = OrgId::parse("581392b55ac7a2110099d9c8").unwrap();
    let key = LinkKey::from_random([7; 32]);
    let signer = LinkSigner { address: "https://hooks.example".to_owned(), org, key };
    Setup { answer_links: AnswerLinks::Signed(signer), ..Setup::default() }
}

fn given(expression: &str, setup: &Setup, seed: &str) -> Result<Option<Value>, &'static str> {
    let steps = json!({ "1": { "name": "ask" } });
    let surroundings = Surroundings { setup, now: Timestamp::parse(NOON).unwrap(), seed };
    let asker = Asker { branch: "each#1.3", step: "mail", visit: 1, part: "params" };
    let context = Context { steps: &steps, outer: &[], error: None, surroundings, asker, scope: None };
    resolve(&json!(expression), &context).map_err(|fault| fault.code())
}

fn read(link: &Value) -> AnswerLink {
    let token = link.as_str().unwrap().strip_prefix("https://hooks.example/v1/answers/").unwrap();
    Unverified::parse(token).unwrap().verify(&LinkKey::from_random([7; 32])).unwrap()
}

#[test]
fn a_link_names_the_run_the_branch_the_step_and_the_choice() {
    let link = given("/#fn:answerLink,ask,approve", &signed(), RUN).unwrap().unwrap();
    let expected = AnswerLink {
        org: OrgId::parse("581392b55ac7a2110099d9c8").unwrap(),
        run: RunId::parse(RUN).unwrap(),
        made_at: Timestamp::parse(NOON).unwrap(),
        branch: "each#1.3".to_owned(),
        step: "ask".to_owned(),
        choice: "approve".to_owned(),
    };
    assert_eq!(read(&link), expected);
    assert_eq!(given("/#fn:answerLink,ask,approve", &signed(), RUN).unwrap().unwrap(), link, "it is the same again");
    assert_eq!(
        given("{{answerLink \"ask\" \"approve\"}}", &signed(), RUN).unwrap().unwrap(),
        link,
        "nothing is escaped"
    );
    let open = given("{{answerLink steps.1.name}}", &signed(), RUN).unwrap().unwrap();
    assert_eq!(read(&open), AnswerLink { choice: String::new(), ..expected });
}

#[test]
fn there_is_no_link_without_a_run_an_address_or_room() {
    let call = "/#fn:answerLink,ask";
    assert_eq!(given(call, &Setup::default(), RUN), Ok(None));
    assert_eq!(given(call, &signed(), "evaluate"), Ok(None));
    let nowhere = Setup { answer_links: AnswerLinks::Nowhere, ..Setup::default() };
    assert_eq!(given(call, &nowhere, RUN), Err("no_public_address"));
    assert_eq!(given(call, &nowhere.masked(), RUN), Err("no_public_address"));
    assert_eq!(given(&format!("{call},{}", "x".repeat(1_500)), &signed(), RUN), Ok(None));
    assert!(given("/#fn:answerLink", &signed(), RUN).is_err());
    // Data never chooses what a link is for.
    assert_eq!(given("/#fn:transform,steps.1,answerLink", &signed(), RUN), Err("malformed_expression"));
}

#[test]
fn a_link_is_a_mask_for_whoever_reads() {
    let setup = signed();
    assert!(setup.has_secrets() && !Setup::default().has_secrets());
    assert_eq!(given("/#fn:answerLink,ask", &setup.masked(), RUN), Ok(Some(json!("••••••••"))));
    let link = given("/#fn:answerLink,ask", &setup, RUN).unwrap().unwrap();
    let mut shown = json!({ "list": [link], link.as_str().unwrap(): 1 });
    Setup::default().mask(&mut shown);
    let masked = "https://hooks.example/v1/answers/••••••••";
    assert_eq!(shown, json!({ "list": [masked], masked: 1 }));
    assert_eq!(Setup::default().mask_text(&format!("See {}.", link.as_str().unwrap())), format!("See {masked}."));
}

#[test]
fn only_a_definition_that_makes_links_needs_the_key() {
    let needs = |text: &str| {
        steps(json!([{"id": "s", "action": "a", "params": {"text": text}, "transitions": []}])).needs().answer_links
    };
    assert!(needs("/#fn:answerLink,ask") && needs("See {{answerLink \"ask\"}}"));
    assert!(!needs("/#fn:transform,steps.1.list,toUpper") && !needs("answerLink"));
}
