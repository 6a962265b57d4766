//! Markdown, made into HTML or taken out of a text.
//!
//! The text is data that a stranger may have written, so HTML in it stays text, and a link leads to the web, a mail
//! program or a telephone, or nowhere.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

const LINK_SCHEMES: [&str; 4] = ["http:", "https:", "mailto:", "tel:"];

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS)
}

/// The text as HTML.
pub(super) fn to_html(text: &str) -> String {
    let mut made = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut made, parser(text).map(harmless));
    made.trim_end().to_owned()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other event of the library is harmless")]
fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: destination(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: destination(dest_url), title, id })
        }
        other => other,
    }
}

fn destination(url: CowStr<'_>) -> CowStr<'_> {
    // Browsers skip control characters, so `java\nscript:` has a scheme as well.
    let plain: String = url.chars().filter(|character| !character.is_control() && *character != ' ').collect();
    let plain = plain.to_ascii_lowercase();
    let before_path = plain.split(['/', '?', '#']).next().unwrap_or_default();
    let has_scheme = before_path.contains(':');
    let is_allowed = !has_scheme || LINK_SCHEMES.iter().any(|scheme| plain.starts_with(scheme));
    if is_allowed { url } else { CowStr::Borrowed("#") }
}

/// The text without its markup.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other event of the library is markup")]
pub(super) fn to_text(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for event in parser(text) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => made.push_str(&text),
            Event::SoftBreak | Event::HardBreak => made.push('\n'),
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::List(_) | TagEnd::Table,
            ) => end_block(&mut made, "\n\n"),
            Event::End(TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => end_block(&mut made, "\n"),
            Event::End(TagEnd::TableCell) => made.push(' '),
            _ => {}
        }
    }
    made.trim().to_owned()
}

fn end_block(text: &mut String, ending: &str) {
    let length = text.trim_end().len();
    text.truncate(length);
    text.push_str(ending);
}
