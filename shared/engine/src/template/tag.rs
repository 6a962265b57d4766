//! Takes a template apart into text and tags, and a tag into words; what a word means is decided elsewhere.
//!
//! Only the spelling of tags matters here, yet this is where templates are kept small: what the compiler would
//! recurse into (nested parentheses, array and object literals) is refused before it sees it.

use crate::problem::Flaw;

/// How many words, texts and signs a tag may have.
const TOKENS_LIMIT: usize = 256;

/// How deep parentheses may nest inside a tag.
const PARENTHESES_LIMIT_LEVELS: usize = 8;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    /// Text with a `\{{` in it, which Handlebars takes the backslash from.
    EscapedText(&'t str),
    Comment(&'t str),
    Tag(Tag<'t>),
}

/// A tag, `{{~#each items as |item|~}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    pub(super) kind: Kind,
    /// Whether white space before and after it is dropped.
    pub(super) trims: (bool, bool),
    pub(super) tokens: Vec<Token<'t>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{x}}`
    Escaped,
    /// `{{{x}}}` or `{{&x}}`
    Raw,
    /// `{{#x}}`
    Open,
    /// `{{/x}}`
    Close,
    /// `{{^}}`
    Inverse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A path, a helper's name, a number or a keyword.
    Word(&'t str),
    /// The name before `=`.
    Key(&'t str),
    /// A quoted text, with its quotes.
    Quoted(&'t str),
    Open,
    Close,
    Bar,
}

/// Takes the first part off `text`, which is not empty, and gives it with the rest.
pub(super) fn next_part(text: &str) -> Result<(Part<'_>, &str), Flaw> {
    if let Some(comment) = comment(text)? {
        return Ok((Part::Comment(comment), after(text, comment.len())));
    }
    if text.starts_with("{{") {
        return next_tag(text);
    }
    let (end, is_escaped) = text_end(text);
    let part = text.get(..end).unwrap_or(text);
    let part = if is_escaped { Part::EscapedText(part) } else { Part::Text(part) };
    Ok((part, after(text, end)))
}

fn comment(text: &str) -> Result<Option<&str>, Flaw> {
    let close = if text.starts_with("{{!--") {
        "--}}"
    } else if text.starts_with("{{!") {
        "}}"
    } else {
        return Ok(None);
    };
    let end = text.find(close).ok_or_else(|| bad("a comment is not closed"))?;
    Ok(text.get(..end + close.len()))
}

/// Where the text before the next tag ends, and whether it holds an escaped tag.
fn text_end(text: &str) -> (usize, bool) {
    let mut from = 0;
    let mut is_escaped = false;
    while let Some(found) = after(text, from).find("{{") {
        let at = from + found;
        let before = text.get(..at).unwrap_or_default();
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        is_escaped |= backslashes > 0;
        if backslashes != 1 {
            return (at, is_escaped);
        }
        let escaped = after(text, at);
        from = at + if escaped.starts_with("{{{{") { 4 } else { 2 };
    }
    (text.len(), is_escaped)
}

fn next_tag(text: &str) -> Result<(Part<'_>, &str), Flaw> {
    if text.starts_with("{{{{") {
        return Err(forbidden("raw blocks"));
    }
    let mut rest = after(text, 2);
    let trims_before = take(&mut rest, "~");
    let has_brace = take(&mut rest, "{");
    // `{{{~x~}}}` is an older spelling of the same.
    let trims_before = take(&mut rest, "~") || trims_before;
    let kind = tag_kind(&mut rest, has_brace)?;

    let (tokens, mut rest) = tokens(rest)?;
    let mut trims_after = take(&mut rest, "~");
    if has_brace {
        if !take(&mut rest, "}") {
            return Err(bad("a tag that opens with {{{ must close with }}}"));
        }
        trims_after |= take(&mut rest, "~");
    }
    if !take(&mut rest, "}}") {
        return Err(bad("a tag is not closed with }}"));
    }
    Ok((Part::Tag(Tag { kind, trims: (trims_before, trims_after), tokens }), rest))
}

fn tag_kind(rest: &mut &str, has_brace: bool) -> Result<Kind, Flaw> {
    if has_brace {
        return Ok(Kind::Raw);
    }
    if take(rest, "&") {
        return Ok(Kind::Raw);
    }
    let is_block = take(rest, "#");
    let unspaced = rest.trim_start();
    if unspaced.starts_with('>') {
        return Err(forbidden("partials"));
    }
    if unspaced.starts_with('*') {
        return Err(forbidden("decorators"));
    }
    if is_block {
        return Ok(Kind::Open);
    }
    if take(rest, "/") {
        return Ok(Kind::Close);
    }
    if take(rest, "^") {
        return Ok(Kind::Inverse);
    }
    Ok(Kind::Escaped)
}

/// The tokens up to what closes the tag.
fn tokens(mut rest: &str) -> Result<(Vec<Token<'_>>, &str), Flaw> {
    let mut tokens = Vec::new();
    let mut parentheses = 0usize;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let (token, length) = match rest.chars().next() {
            None => return Err(bad("a tag is not closed with }}")),
            Some('}' | '~') if parentheses == 0 => return Ok((tokens, rest)),
            Some('(') => (Token::Open, 1),
            Some(')') => (Token::Close, 1),
            Some('|') => (Token::Bar, 1),
            Some('"' | '\'') => quoted(rest)?,
            Some(_) => word(rest)?,
        };
        parentheses = match token {
            Token::Open => parentheses + 1,
            Token::Close => parentheses.checked_sub(1).ok_or_else(|| bad("a \")\" has no \"(\""))?,
            Token::Word(_) | Token::Key(_) | Token::Quoted(_) | Token::Bar => parentheses,
        };
        if parentheses > PARENTHESES_LIMIT_LEVELS {
            return Err(bad(&format!("parentheses nest deeper than {PARENTHESES_LIMIT_LEVELS} levels")));
        }
        if tokens.len() >= TOKENS_LIMIT {
            return Err(bad(&format!("a tag may have at most {TOKENS_LIMIT} parts")));
        }
        tokens.push(token);
        rest = after(rest, length);
    }
}

fn quoted(text: &str) -> Result<(Token<'_>, usize), Flaw> {
    let quote = text.chars().next();
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if Some(character) == quote {
            return Ok((Token::Quoted(text.get(..=at).unwrap_or(text)), at + 1));
        }
    }
    Err(bad("a quoted text in a tag is not closed"))
}

/// A word ends where white space or punctuation begins, except inside `[…]`.
fn word(text: &str) -> Result<(Token<'_>, usize), Flaw> {
    let mut from = 0;
    loop {
        let rest = after(text, from);
        let end = rest.find([' ', '\t', '\r', '\n', '(', ')', '|', '=', '~', '{', '}', '"', '\'', '[']);
        let at = from + end.unwrap_or(rest.len());
        let stop = after(text, at);
        if stop.starts_with('[') {
            from = at + bracket_length(stop)?;
            continue;
        }
        let word = text.get(..at).unwrap_or(text);
        if word.is_empty() {
            let found = stop.chars().next().unwrap_or(' ');
            return Err(bad(&format!("\"{found}\" cannot stand here in a tag")));
        }
        if stop.starts_with('=') {
            return Ok((Token::Key(word), at + 1));
        }
        return Ok((Token::Word(word), at));
    }
}

fn bracket_length(text: &str) -> Result<usize, Flaw> {
    let close = match text.get(1..2) {
        Some("'") => "']",
        Some("\"") => "\"]",
        _ => "]",
    };
    let start = if close.len() > 1 { 2 } else { 1 };
    let end = after(text, start).find(close).ok_or_else(|| bad("a \"[\" is not closed"))?;
    Ok(start + end + close.len())
}

fn take(rest: &mut &str, prefix: &str) -> bool {
    let stripped = rest.strip_prefix(prefix);
    *rest = stripped.unwrap_or(rest);
    stripped.is_some()
}

fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

/// A template that is not well formed.
pub(super) fn bad(reason: &str) -> Flaw {
    Flaw::bad(reason)
}

fn forbidden(what: &str) -> Flaw {
    Flaw::bad(&format!("take the {what} out of it; {what} are not supported"))
}
