//! `hookwright mail outbox`: mail that workflows sent, which local mode keeps and delivers to nobody.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, present_fields, shortened, text_at},
    paging::Paging,
    session::Session,
};

const SUBJECT_LIMIT_CHARS: usize = 60;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the mails that workflows sent, newest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright mail outbox ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a mail: who gets it, and its text
    #[command(after_help = "\
Examples:
  hookwright mail outbox show local-6a1f2e3d4c5b6a7980a1b2c4-thank-you-1
  hookwright mail outbox show local-6a1f2e3d4c5b6a7980a1b2c4-thank-you-1 --html
  hookwright mail outbox show local-6a1f2e3d4c5b6a7980a1b2c4-thank-you-1 --raw

The files themselves are in STATE_DIR/outbox.")]
    Show {
        /// The mail's id, from the list
        id: String,
        /// Print its HTML in the place of its text
        #[arg(long, conflicts_with = "raw")]
        html: bool,
        /// Print the whole message
        #[arg(long)]
        raw: bool,
    },
}

/// Carries the command out.
pub(super) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls { paging } => session.list(Address::of(&["outbox"]), &paging, table),
        Command::Show { id, html, raw } => {
            let document = session.client.get(&Address::of(&["outbox", &id]))?;
            session.show(&document, |mail| match (html, raw) {
                (true, _) => lines(mail, "/attributes/html", "It has no HTML."),
                (_, true) => lines(mail, "/attributes/raw", "It is no text; --json has it in base64."),
                (false, false) => view(mail),
            })
        }
    }
}

fn table(mails: &[Value]) -> Page {
    if mails.is_empty() {
        return Page::of_line("No workflow has sent a mail.");
    }
    let mut page = Page::default();
    let row = |mail: &Value| {
        let attribute = |name: &str| text_at(mail, &format!("/attributes/{name}"));
        let template = text_at(mail, "/attributes/template/name");
        let subject = if template == "-" { attribute("subject") } else { format!("template {template}") };
        [attribute("sentAt"), text_at(mail, "/id"), recipients(mail), shortened(&subject, SUBJECT_LIMIT_CHARS)]
    };
    page.table(["SENT", "ID", "TO", "SUBJECT"], mails.iter().map(row).collect());
    page
}

fn view(mail: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(mail, "/id"))];
    fields.extend(present_fields(
        mail,
        &[
            ("sent", "/attributes/sentAt"),
            ("run", "/attributes/runId"),
            ("from", "/attributes/from"),
            ("subject", "/attributes/subject"),
            ("message id", "/attributes/headers/messageId"),
            ("template", "/attributes/template/name"),
            ("data", "/attributes/template/data"),
        ],
    ));
    fields.push(("recipients", recipients(mail)));
    for file in mail.pointer("/attributes/attachments").and_then(Value::as_array).into_iter().flatten() {
        let [name, kind, size] = ["/fileName", "/contentType", "/size"].map(|pointer| text_at(file, pointer));
        fields.push(("attachment", format!("{name}, {kind}, {size} bytes")));
    }
    page.fields(&fields);
    if let Some(text) = mail.pointer("/attributes/text").and_then(Value::as_str) {
        page.line("");
        text.lines().for_each(|line| page.line(line));
    }
    page
}

/// The text at `pointer`, line by line.
fn lines(mail: &Value, pointer: &str, nothing: &str) -> Page {
    let Some(text) = mail.pointer(pointer).and_then(Value::as_str) else { return Page::of_line(nothing) };
    let mut page = Page::default();
    text.lines().for_each(|line| page.line(line));
    page
}

fn recipients(mail: &Value) -> String {
    let list = mail.pointer("/attributes/recipients").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().map(brief).collect::<Vec<_>>().join(", ")
}
