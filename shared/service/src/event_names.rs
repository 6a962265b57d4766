//! Names of events that may be published: all that nothing else fires.

use domain::Event;

/// What the events of commands begin with.
pub(crate) const COMMANDS: &str = "kustomer.command.";

/// The most characters of an event's name. *Why*: it is part of a partition of the store.
pub(crate) const NAME_LIMIT_CHARS: usize = 256;

/// Beginnings of names that only what they tell of fires.
const RESERVED: [&str; 3] = ["kustomer.hooks.", "kustomer.workflow.", "concours."];

/// Says why nobody may publish an event called `name`, in a sentence.
pub(crate) fn check_published(name: &str) -> Result<(), String> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_@".contains(c));
    let parts = name.split('.').count();
    if !is_plain || name.len() > NAME_LIMIT_CHARS || parts < 2 || name.split('.').any(str::is_empty) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
            "kustomer.hooks.form.5a345109e578360010eaa1ad.receive",
            "kustomer.workflow.5a345109e578360010eaa1ad.call",
        ] {
            assert!(check_published(name).is_err(), "{name}");
        }
    }
}
