//! Links that answer a step which waits: made for whoever may answer runs, and opened by whoever was sent one.
//!
//! Opening a link shows the question and never answers it, because programs that look through mail open every link. An answer
//! is a post, and goes the way of an answer of the API.

mod page;
mod reach;

use domain::{RunId, exact::object};
use engine::{
    Definition,
    answer_link::{AnswerLink, LINKS_PATH, Unverified},
    journal::Outcome,
    surroundings::LinkSigner,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Management, Refused, Request, Response,
    answering::{Asked, Given, all_asked, asked_of_run, check_choice, definition, give},
    call::{Call, bad_attribute, check_names, decode},
    resource::{one, text},
};
use crate::{
    http::answer::method_not_allowed_response,
    runs::{self, AnswerGiven, StoredRun},
};
use page::{Page, Reader};

/// The most bytes of an answer. *Why*: it is one choice.
const BODY_LIMIT_BYTES: usize = 4_096;

/// `POST /v1/runs/{id}/answer-links`: `{"step":"approval","choice":"approve"}`; a link for a step that waits now.
pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", RunId::parse)?;
    let attributes = call.optional_attributes()?;
    check_names(&attributes, &["step", "branch", "choice"])?;
    let (step, branch) = (text(&attributes, "step")?, text(&attributes, "branch")?);
    let choice = text(&attributes, "choice")?;
    let (_, asked) = asked_of_run(call, id, step.as_deref(), branch.as_deref()).await?;
    if choice.is_some() {
        check_choice(&asked.question, choice.as_deref())?;
    }
    let (management, org) = (call.management, call.caller.org);
    let (step, branch) = (asked.place.step, asked.place.branch);
    let link = AnswerLink {
        org,
        run: id,
        made_at: management.world.now(),
        branch: branch.clone(),
        step: step.clone(),
        choice: choice.clone().unwrap_or_default(),
    };
    let key = runs::find_or_make_link_key(management.store.as_ref(), management.world.as_ref(), org).await?;
    let signer = LinkSigner { address: call.base_url(), org, key };
    let too_long = || bad_attribute("choice", "The names of step, branch and choice are too long for a link.");
    let url = signer.address_of(&link).ok_or_else(too_long)?;
    let attributes = object([
        ("url", json!(url)),
        ("step", json!(step)),
        ("branch", json!(branch)),
        ("choice", json!(choice)),
        ("expiresAt", json!(link.ends_at())),
    ]);
    Ok(one(StatusCode::OK, object([("type", json!("answer_link")), ("attributes", attributes)])))
}

/// The token that the path of a link ends with.
pub(super) fn token_of(path: &str) -> Option<&str> {
    path.strip_prefix(LINKS_PATH).filter(|token| !token.is_empty() && !token.contains('/'))
}

/// Answers whoever has opened a link, or answers by it. Needs no key: the link is one.
///
/// *Errors*: the store does not answer; everything else is a page.
pub(super) async fn receive(management: &Management, request: &Request, token: &str) -> Result<Response, Refused> {
    let reader = Reader::of(request.headers());
    let method = request.method();
    let page = match *method {
        Method::GET => show(management, token).await?,
        Method::POST if request.body().len() > BODY_LIMIT_BYTES => Page::too_large(BODY_LIMIT_BYTES),
        Method::POST => take(management, token, request.body()).await?,
        _ => return Ok(method_not_allowed_response("link", "GET, POST")),
    };
    Ok(page.response(reader))
}

async fn show(management: &Management, token: &str) -> Result<Page, Refused> {
    Ok(match open(management, token).await? {
        Ok(Opened { link, asked, .. }) => match offered(&link, &asked) {
            Some(choices) => Page::question(asked.question.text.as_deref(), &choices, link.ends_at()),
            None => Page::no_choice(&asked.question.choices),
        },
        Err(page) => page,
    })
}

async fn take(management: &Management, token: &str, body: &[u8]) -> Result<Page, Refused> {
    let Opened { link, stored, asked } = match open(management, token).await? {
        Ok(opened) => opened,
        Err(page) => return Ok(page),
    };
    let Some(offered) = offered(&link, &asked) else { return Ok(Page::no_choice(&asked.question.choices)) };
    let choice = posted_choice(body).or_else(|| Some(link.choice).filter(|choice| !choice.is_empty()));
    let is_offered = choice.as_ref().is_some_and(|choice| offered.contains(choice));
    if !offered.is_empty() && !is_offered {
        return Ok(Page::no_choice(&offered));
    }
    let given = Given { choice: choice.clone(), data: Value::Null, by: json!({ "link": true }) };
    Ok(match give(management, &stored, &asked.place, given).await? {
        AnswerGiven::First => Page::answered(choice.as_deref(), management.world.now()),
        AnswerGiven::TooLate => Page::answered_before(),
    })
}

/// A link whose step waits.
struct Opened {
    link: AnswerLink,
    stored: StoredRun,
    asked: Asked,
}

/// What the token leads to, or the page that says why it leads nowhere. Whoever has no link learns one thing from whatever is
/// tried.
async fn open(management: &Management, token: &str) -> Result<Result<Opened, Page>, Refused> {
    let store = management.store.as_ref();
    let Some(link) = verified(management, token).await? else { return Ok(Err(Page::unknown())) };
    if management.world.now() >= link.ends_at() {
        return Ok(Err(Page::expired()));
    }
    let Some(stored) = runs::find_run(store, link.org, link.run).await? else { return Ok(Err(Page::unknown())) };
    let definition = definition(store, link.org, &stored.run.workflow_hash).await?;
    if let Some(page) = spent(&link, &definition, &stored) {
        return Ok(Err(page));
    }
    if stored.run.state.is_final() {
        return Ok(Err(Page::run_over()));
    }
    let asked = all_asked(&definition, &stored)?.into_iter().filter(|asked| asked.place.step == link.step);
    let Some(asked) = reach::nearest(&definition, &link.branch, asked, |asked| asked.place.branch.as_str()) else {
        return Ok(Err(Page::not_waiting()));
    };
    // The run may not have come to see it yet.
    if runs::find_answer(store, &asked.place).await?.is_some() {
        return Ok(Err(Page::answered_before()));
    }
    Ok(Ok(Opened { link, stored, asked }))
}

async fn verified(management: &Management, token: &str) -> Result<Option<AnswerLink>, Refused> {
    let Some(unverified) = Unverified::parse(token) else { return Ok(None) };
    let key = runs::find_link_key(management.store.as_ref(), unverified.org()).await?;
    Ok(key.and_then(|key| unverified.verify(&key)))
}

/// That the wait for which the link was made is over. A link of one round answers no question of the next.
fn spent(link: &AnswerLink, definition: &Definition, stored: &StoredRun) -> Option<Page> {
    let ended = stored.entries.iter().find(|entry| {
        let is_over = !matches!(entry.entry.outcome, Outcome::Pending(_));
        let is_its = entry.entry.step == link.step && reach::reaches(definition, &link.branch, &entry.entry.branch);
        is_its && is_over && entry.ended_at > link.made_at
    })?;
    let reason = match &ended.entry.outcome {
        Outcome::Output(output) => output.get("reason").and_then(Value::as_str),
        Outcome::Failed(_) | Outcome::Pending(_) | Outcome::Stopped(_) => None,
    };
    Some(if reason == Some("answer") { Page::answered_before() } else { Page::not_waiting() })
}

/// The choices that the link gives: its own, or all of them; none of them is there where anything will do. Nothing where its
/// own is none of the question's.
fn offered(link: &AnswerLink, asked: &Asked) -> Option<Vec<String>> {
    let choices = &asked.question.choices;
    match (link.choice.is_empty(), choices.is_empty() || choices.contains(&link.choice)) {
        (true, _) => Some(choices.clone()),
        (false, true) => Some(vec![link.choice.clone()]),
        (false, false) => None,
    }
}

/// The `choice` of a form that was posted.
fn posted_choice(body: &[u8]) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let value = body.split('&').find_map(|pair| pair.strip_prefix("choice="))?;
    Some(decode(value)).filter(|choice| !choice.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posted_choice_is_read_as_browsers_write_it() {
        for (body, choice) in [
            ("choice=approve", Some("approve")),
            ("a=b&choice=two+words%21&choice=no", Some("two words!")),
            ("choice=", None),
            ("other=1", None),
            ("", None),
        ] {
            assert_eq!(posted_choice(body.as_bytes()).as_deref(), choice, "{body}");
        }
        assert_eq!(posted_choice(b"choice=\xff"), None);
    }
}
