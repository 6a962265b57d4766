//! Names of events: those that may be published, which are all that nothing else fires, and those a webhook may subscribe to.

use domain::{Event, RecordKind};

/// What the events of commands begin with.
pub(crate) const COMMANDS: &str = "kustomer.command.";

/// The most characters of an event's name. *Why*: it is part of a partition of the store.
pub(crate) const NAME_LIMIT_CHARS: usize = 256;

/// Beginnings of names that only what they tell of fires.
const RESERVED: [&str; 4] = ["kustomer.hooks.", "kustomer.workflow.", "kustomer.webhook.", "concours."];

/// Beginnings of names of what arrives at hooks and of what starts workflows, which is not told outside.
const NOT_TOLD: [&str; 3] = ["kustomer.hooks.", "kustomer.workflow.", "concours."];

/// That a webhook has not been delivered to for long.
pub(crate) const WEBHOOK_FAILING: &str = "kustomer.webhook.failing";

/// That a webhook was disabled because of it.
pub(crate) const WEBHOOK_DISABLED: &str = "kustomer.webhook.disabled";

/// Says why nobody may publish an event called `name`, in a sentence.
pub(crate) fn check_published(name: &str) -> Result<(), String> {
    if !is_name(name) || !name.contains('.') {
        return Err(format!(
            "An event's name has parts of letters, digits, `-`, `_` and `@` with dots between them, and at most {NAME_LIMIT_CHARS} \
             characters, such as kustomer.app.shop.order.paid."
        ));
    }
    if Event::is_of_record(name) || RESERVED.iter().any(|reserved| name.starts_with(reserved)) {
        return Err(
            "This event is fired by what it tells of and by nothing else. Publish one of your own, such as kustomer.app.shop.order.paid."
                .to_owned(),
        );
    }
    Ok(())
}

/// Says why no webhook may subscribe to `pattern`, in a sentence.
///
/// It is the name of an event, or one with `.*` at its end for all below it, or `*` for all there are.
pub(crate) fn check_subscribed(pattern: &str) -> Result<(), String> {
    if pattern == "*" {
        return Ok(());
    }
    let above = pattern.strip_suffix(".*");
    let name = above.unwrap_or(pattern);
    if !is_name(name) || (above.is_none() && !name.contains('.')) {
        return Err(format!(
            "Write the name of an event, such as kustomer.customer.update, or one with .* at its end, such as kustomer.customer.*, \
             or * for all; it has at most {NAME_LIMIT_CHARS} characters."
        ));
    }
    if NOT_TOLD.iter().any(|beginning| format!("{name}.").starts_with(beginning)) {
        return Err(
            "Webhooks are told of changes of records and of events that are published. What arrives at a hook starts workflows, \
             and a workflow can publish an event of its own with kustomer.event.publish."
                .to_owned(),
        );
    }
    if above.is_none() && is_mistaken(name) {
        return Err(
            "Nothing fires this event. Records fire kustomer.KIND.create and kustomer.KIND.update, where KIND is customer, \
             conversation, message, note, company, user, tag, or kobject. and the name of a klass; webhooks fire \
             kustomer.webhook.failing and kustomer.webhook.disabled."
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether an event could be called so, but for its first part standing alone.
fn is_name(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_@".contains(c));
    is_plain && name.len() <= NAME_LIMIT_CHARS && !name.split('.').any(str::is_empty)
}

/// Whether the name looks like that of an event which we fire, and is none.
fn is_mistaken(name: &str) -> bool {
    if name.starts_with("kustomer.webhook.") {
        return ![WEBHOOK_FAILING, WEBHOOK_DISABLED].contains(&name);
    }
    let kind = name.strip_prefix("kustomer.").and_then(|rest| rest.rsplit_once('.')).map(|(kind, _)| kind.to_owned());
    let is_of_kind = kind.is_some_and(|kind| kind == "kobject" || RecordKind::try_from(kind).is_ok());
    is_of_kind && !Event::is_of_record(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_subscribes_to_what_can_be_fired_and_is_told_outside() {
        let (longest, too_long) = (format!("a.{}", "b".repeat(254)), format!("a.{}", "b".repeat(255)));
        for pattern in [
            "*",
            "kustomer.*",
            "kustomer.customer.*",
            "kustomer.customer.create",
            "kustomer.kobject.order.update",
            "kustomer.kobject.*",
            "kustomer.app.shop.order.paid",
            "shop.paid",
            "kustomer.command.refund",
            WEBHOOK_FAILING,
            WEBHOOK_DISABLED,
            "kustomer.webhook.*",
            longest.as_str(),
        ] {
            assert_eq!(check_subscribed(pattern), Ok(()), "{pattern}");
        }
        for pattern in [
            "",
            "paid",
            "*.create",
            "kustomer.*.create",
            "kustomer.customer*",
            ".*",
            "a..*",
            "shöp.paid",
            "shop#paid.x",
            too_long.as_str(),
            "kustomer.customer.delete",
            "kustomer.customer.updated",
            "kustomer.kobject.order",
            "kustomer.kobject.order.created",
            "kustomer.webhook.ping",
            "kustomer.hooks.*",
            "kustomer.hooks.form.5a345109e578360010eaa1ad.receive",
            "kustomer.workflow.5a345109e578360010eaa1ad.call",
            "concours.webhook.receive",
            "concours.*",
        ] {
            assert!(check_subscribed(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn only_names_that_nothing_else_fires_are_published() {
        let (longest, too_long) = (format!("a.{}", "b".repeat(254)), format!("a.{}", "b".repeat(255)));
        for name in ["kustomer.app.shop.order.paid", "shop.paid", longest.as_str()] {
            assert_eq!(check_published(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "paid",
            "shop..paid",
            ".paid",
            "shop.paid.",
            "shop paid.x",
            "shöp.paid",
            "shop#paid.x",
            too_long.as_str(),
            "kustomer.customer.create",
            "kustomer.kobject.order.update",
            "concours.webhook.receive",
            WEBHOOK_FAILING,
            "kustomer.hooks.form.5a345109e578360010eaa1ad.receive",
            "kustomer.workflow.5a345109e578360010eaa1ad.call",
        ] {
            assert!(check_published(name).is_err(), "{name}");
        }
    }
}
