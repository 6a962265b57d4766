//! Which mails are let in, and the sentences that say why others are not.
//!
//! Only what the receiving server found counts. `Authentication-Results` in the mail itself is the sender's to write and
//! is not looked at. *Source*: reference `email`, section 1.5.

use domain::{MailRule, Treatment};
use ingest::{
    mail::{Headers, Mail, Status},
    ses::{Delivery, Verdicts},
};

use crate::runs::Reason;

/// Most reasons that one mail is explained with.
const REASONS_LIMIT: usize = 20;

/// What the policy says of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may come in.
    Passed,
    /// It waits for somebody to look at it.
    Quarantined(Refused),
    /// It is recorded and does nothing.
    Dropped(Refused),
}

/// Why a mail starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// A stable word.
    pub(super) code: &'static str,
    /// What was looked at: `verdict`, `sender`, `limit`, `data`, `mail`.
    pub(super) check: &'static str,
    /// Why, and what to do, for the owner of the hook.
    pub(super) sentence: String,
}

impl Refused {
    fn new(check: &'static str, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, check, sentence: sentence.into() }
    }

    /// As it is told to the owner of the hook.
    pub(super) fn told(&self) -> Reason {
        Reason { code: self.code.to_owned(), sentence: self.sentence.clone() }
    }
}

/// What `rule` says of a mail with these verdicts and headers; `own_domain` is where our own mails come from.
pub(super) fn judge(rule: &MailRule, delivery: &Delivery, mail: &Mail, own_domain: &str) -> Verdict {
    let verdicts = &delivery.verdicts;
    if is(&verdicts.virus, "FAIL") {
        let sentence =
            "A virus was found in the mail. It is kept where it was received until it expires, and goes no further.";
        return Verdict::Dropped(Refused::new("verdict", "virus", sentence));
    }
    if is_own(&mail.headers, own_domain) {
        let sentence =
            "A workflow sent this mail. To take it in would let workflows set each other off without an end.";
        return Verdict::Dropped(Refused::new("mail", "mail_loop", sentence));
    }
    let checks = [dmarc(rule, verdicts), unauthenticated(rule, verdicts), spam(rule, verdicts)];
    let (mut dropped, mut quarantined) = (None, None);
    for (treatment, refused) in checks.into_iter().flatten() {
        match treatment {
            Treatment::Accept => {}
            Treatment::Quarantine => quarantined = quarantined.or(Some(refused)),
            Treatment::Drop => dropped = dropped.or(Some(refused)),
        }
    }
    // What is to be dropped is not kept waiting because another check failed as well.
    match (dropped, quarantined.or_else(|| sender(rule, verdicts, &mail.headers))) {
        (Some(refused), _) => Verdict::Dropped(refused),
        (None, Some(refused)) => Verdict::Quarantined(refused),
        (None, None) => Verdict::Passed,
    }
}

/// Why a mail that may come in has nothing to start a workflow with.
pub(super) fn without_data(rule: &MailRule, mail: &Mail) -> Option<Refused> {
    if !mail.data.is_null() {
        return None;
    }
    if rule.key.is_some() {
        let is_unkeyed = mail.blocks.iter().any(|block| block.status == Status::Unkeyed);
        let (code, sentence) = if is_unkeyed {
            (
                "wrong_key",
                "The mail has JSON, but no script tag in it shows this hook's key. Put `data-kustomer-key` with the key into the tag, in the template of the mail.",
            )
        } else {
            ("no_data", "The mail has no JSON, and this hook takes none without its key.")
        };
        return Some(Refused::new("data", code, sentence));
    }
    if !rule.bodies.is_empty() {
        return None;
    }
    let sentence = if mail.blocks.is_empty() {
        "No JSON was found in the mail, so no workflow was started. Put it into a <script type=\"application/ld+json\"> in the HTML, or have this hook take the mail's text with `mail.bodies`."
    } else {
        "The mail has JSON, but none that could be used, so no workflow was started. The reasons say for each block why; `hookwright mail lint` shows the same of a file."
    };
    Some(Refused::new("data", "no_data", sentence))
}

/// What is likely wrong with a mail that started nothing: what its reader noted, and why its blocks do not count.
pub(super) fn reasons(mail: &Mail) -> Vec<Reason> {
    let notes = mail.notes.iter().map(|note| Reason { code: note.code.to_owned(), sentence: note.message.clone() });
    let blocks = mail.blocks.iter().filter(|block| !matches!(block.status, Status::Ok | Status::Repaired));
    let blocks = blocks.map(|block| {
        let place = format!("The block of type {} in part {}", block.media_type, block.part);
        let sentence = match &block.error {
            Some(error) => format!("{place} was not read: {error}"),
            None => format!("{place} does not count: {}.", block.status.word().replace('_', " ")),
        };
        Reason { code: format!("block_{}", block.status.word()), sentence }
    });
    notes.chain(blocks).take(REASONS_LIMIT).collect()
}

/// The mail is larger than the receiving server takes.
pub(super) fn oversize() -> Refused {
    let sentence = "The mail is larger than the 40 MB that are received, so its sender was refused and nothing of it was kept. Ask the sender to leave the attachments out, or to send links to them.";
    Refused::new("mail", "mail_too_large", sentence)
}

/// The mail is not where SES put it.
pub(super) fn gone() -> Refused {
    let sentence =
        "The mail was removed before it was read. Mails are kept for 30 days; ask the sender to send it again.";
    Refused::new("mail", "mail_gone", sentence)
}

/// The transaction does not fit the queue.
pub(super) fn too_large() -> Refused {
    let sentence =
        "With its bodies and addresses the mail takes more than 1 MiB as JSON. Have the hook take fewer bodies.";
    Refused::new("mail", "message_too_large", sentence)
}

/// The same mail came before.
pub(super) fn repeated() -> Refused {
    let sentence = "The same mail came before: its Message-ID and what is in it, or the fields that `duplicates` names. The transaction of then stands for both.";
    Refused::new("data", "repeated", sentence)
}

/// The hook has had its share.
pub(super) fn over_limit() -> Refused {
    let sentence = "The hook had more mails than its `limit` lets in. Release the mail, or raise the limit.";
    Refused::new("limit", "over_limit", sentence)
}

/// *Source*: RFC 7489, section 6.3: the owner of the domain asks for one of these where the check fails.
fn dmarc(rule: &MailRule, verdicts: &Verdicts) -> Option<(Treatment, Refused)> {
    asked_for(verdicts).map(|policy| {
        let sentence = format!(
            "DMARC failed, and the owner of the sender's domain asks to {} such mail. Have the sender sign its mail with DKIM for that domain; where the mail is right all the same, release it.",
            policy.to_lowercase(),
        );
        (rule.policy.dmarc, Refused::new("verdict", "dmarc", sentence))
    })
}

/// What the owner of the sender's domain asks to do with this mail, if its DMARC failed and the owner asks for anything.
fn asked_for(verdicts: &Verdicts) -> Option<&str> {
    let policy = verdicts.dmarc_policy.as_deref().filter(|_| is(&verdicts.dmarc, "FAIL"))?;
    ["reject", "quarantine"].iter().any(|word| policy.eq_ignore_ascii_case(word)).then_some(policy)
}

fn unauthenticated(rule: &MailRule, verdicts: &Verdicts) -> Option<(Treatment, Refused)> {
    let dmarc_failed = is(&verdicts.dmarc, "FAIL") && asked_for(verdicts).is_none();
    let both_failed = is(&verdicts.spf, "FAIL") && is(&verdicts.dkim, "FAIL");
    (dmarc_failed || both_failed).then(|| {
        let what = if dmarc_failed { "DMARC failed" } else { "SPF and DKIM both failed" };
        let sentence = format!(
            "{what}, so nothing shows that the mail is from who it says. Have the sender sign its mail with DKIM, release this one, or set `mail.policy.unauthenticated`."
        );
        (rule.policy.unauthenticated, Refused::new("verdict", "unauthenticated", sentence))
    })
}

fn spam(rule: &MailRule, verdicts: &Verdicts) -> Option<(Treatment, Refused)> {
    is(&verdicts.spam, "FAIL").then(|| {
        let sentence = "The mail was taken for spam. Order mails sometimes are: release it, or set `mail.policy.spam` to \"accept\".";
        (rule.policy.spam, Refused::new("verdict", "spam", sentence))
    })
}

/// A list of senders is worth what shows that the sender is who it says: DMARC has to have passed, where it is checked
/// at all, and there has to be one author only, written plainly, since nobody can tell which of two was checked.
fn sender(rule: &MailRule, verdicts: &Verdicts, headers: &Headers) -> Option<Refused> {
    if rule.senders.is_empty() {
        return None;
    }
    let refused = |sentence: &str| Some(Refused::new("sender", "sender_not_allowed", sentence));
    let Some(author) = &headers.author else {
        return refused(
            "The mail has no author, several, or one whose address can be read in two ways, and this hook takes mail of the senders on its list only.",
        );
    };
    if !rule.admits(author) {
        return refused(
            "The author of the mail is not on this hook's list of senders. Add the address or its domain, or release the mail.",
        );
    }
    // A listener that checks nothing says so; SES itself always checks DMARC.
    if is(&verdicts.dmarc, "PASS") || is(&verdicts.dmarc, "DISABLED") {
        return None;
    }
    refused(
        "The author is on this hook's list of senders, but DMARC did not pass, so anybody could have written the mail. Have the sender publish a DMARC record and sign with DKIM.",
    )
}

/// Mails of workflows carry a header of their own; and an id at the mail domain, unless who delivered them gave another;
/// and are from somebody there, where the template does not say otherwise.
fn is_own(headers: &Headers, own_domain: &str) -> bool {
    let id = headers.message_id.as_deref().unwrap_or_default();
    let domain = id.trim_end_matches('>').rsplit_once('@').map(|(_, domain)| domain);
    let is_ours = |domain: &str| domain.eq_ignore_ascii_case(own_domain);
    // Nobody but a workflow writes as somebody at the domain of the hooks; a template of SES shows nothing else of us.
    let author_domains = headers.from.iter().filter_map(|author| author.address.rsplit_once('@'));
    headers.hookwright_run.is_some()
        || domain.is_some_and(is_ours)
        || author_domains.into_iter().any(|(_, domain)| is_ours(domain))
}

fn is(verdict: &Option<String>, word: &str) -> bool {
    verdict.as_deref().is_some_and(|verdict| verdict.eq_ignore_ascii_case(word))
}
