//! Drafts of workflows: changed as often as one likes, checked each time, and live only once they are published.

use domain::{Rejected, Rejection, WorkflowId, exact};
use engine::check::DOCUMENT_LIMIT_BYTES;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        Refused, Response,
        attributes::flag,
        call::{Call, owned_by_nobody},
        resource::{one, org_relationship, resource},
    },
    Becomes,
    checks::{self, Findings},
    document_of, found, make_live, merged,
    versions::no_draft,
};
use crate::{
    directory::{
        Versioned,
        workflows::{self, Draft},
    },
    http::answer::{self, Problem, empty_response},
};

pub(in super::super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let id = found(call).await?.value.id;
    let draft = draft(call, id).await?.ok_or_else(no_draft)?;
    shown(call, id, &draft.value).await
}

/// Whatever is wrong with the draft is told, and it is kept all the same.
pub(in super::super) async fn put(call: &Call<'_>) -> Result<Response, Refused> {
    let live = found(call).await?;
    let id = live.value.id;
    owned_by_nobody("workflow", live.value.installed_by.as_deref())?;
    let changes = call.attributes()?;
    let before = draft(call, id).await?;
    let rev = before.as_ref().map(|before| before.rev);
    let (before, base) = match before {
        Some(Versioned { value: draft, .. }) => (draft.document, draft.base),
        None => (document_of(call, &live.value.hash).await?, live.rev),
    };
    let document = merged(before, changes);
    let bytes = document.to_string().len();
    if bytes > DOCUMENT_LIMIT_BYTES {
        let detail = format!("A draft has at most {DOCUMENT_LIMIT_BYTES} bytes; with these changes it has {bytes}.");
        return Err(Rejected::new(Rejection::Malformed, "document_too_large", detail).into());
    }
    let draft = Draft { document, base, updated_at: call.management.world.now(), updated_by: call.caller.key };
    workflows::put_draft(call.management.store.as_ref(), call.caller.org, id, &draft, rev).await?;
    shown(call, id, &draft).await
}

pub(in super::super) async fn delete(call: &Call<'_>) -> Result<Response, Refused> {
    let id = found(call).await?.value.id;
    workflows::delete_draft(call.management.store.as_ref(), call.caller.org, id, None).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

pub(in super::super) async fn publish(call: &Call<'_>) -> Result<Response, Refused> {
    let live = found(call).await?;
    let id = live.value.id;
    let attributes = call.optional_attributes()?;
    let draft = draft(call, id).await?.ok_or_else(no_draft)?;
    let base = draft.value.base;
    if base != live.rev && !flag(&attributes, "force")? {
        let detail = format!(
            "The draft was begun on version {base}, and version {} is live now. Look at the differences \
             (…/diff?from={base}&to=live), then publish with `\"force\": true` (`--force`), or delete the draft.",
            live.rev
        );
        return Err(Rejected::new(Rejection::Taken, "draft_is_behind", detail).into());
    }
    let document = draft.value.document.clone();
    make_live(call, &live, Becomes { document, restores: None, published: Some(&draft) }).await
}

async fn draft(call: &Call<'_>, id: WorkflowId) -> Result<Option<Versioned<Draft>>, Refused> {
    Ok(workflows::find_draft(call.management.store.as_ref(), call.caller.org, id).await?)
}

async fn shown(call: &Call<'_>, id: WorkflowId, draft: &Draft) -> Result<Response, Refused> {
    let Findings { errors, warnings, .. } = checks::findings(call, Some(id), &draft.document).await?;
    let told = |problems: &[Problem]| Value::Array(answer::warnings(problems));
    let attributes = exact::object([
        ("document", draft.document.clone()),
        ("base", json!(draft.base)),
        ("problems", told(&errors)),
        ("warnings", told(&warnings)),
        ("updatedAt", json!(draft.updated_at)),
        ("updatedBy", json!(draft.updated_by)),
    ]);
    let path = format!("/v1/workflows/{id}/draft");
    Ok(one(StatusCode::OK, resource("workflow_draft", &id.to_string(), &path, attributes, org_relationship(call))))
}
