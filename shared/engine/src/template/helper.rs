//! The helpers of templates: the blocks, and every function by its name.

use super::tag::Token;
use crate::function::{self, Function, wrong_arguments};
use crate::naming::quoted;
use crate::problem::Flaw;
use crate::problem::closest;

/// The helpers that have a body.
pub(super) const BLOCK_HELPERS: [&str; 4] = ["if", "unless", "each", "with"];

/// The function that a tag of one word calls: one that needs no arguments. Any other word is a path.
pub(super) fn bare_function(word: &str) -> Option<&'static Function> {
    function::find(word).filter(|function| function.required() == 0)
}

/// Checks how many arguments there are, the names of those that have one, and the texts that the author wrote.
pub(super) fn check_arguments(function: &Function, tokens: &[Token<'_>]) -> Result<(), Flaw> {
    let (mut depth, mut unnamed) = (0usize, 0usize);
    let mut named: Vec<usize> = Vec::new();
    let mut key_place = None;
    for token in tokens {
        match token {
            Token::Close => depth = depth.saturating_sub(1),
            Token::Key(key) if depth == 0 => {
                let place = function.place_of(key).ok_or_else(|| unknown_argument(function, key))?;
                named.push(place);
                key_place = Some(place);
                continue;
            }
            Token::Word(_) | Token::Quoted(_) | Token::Open if depth == 0 => {
                let place = key_place.unwrap_or(unnamed);
                unnamed += usize::from(key_place.is_none());
                if let Token::Quoted(quoted) = token {
                    let checked = function.check_literal(place, &unquoted(quoted));
                    checked?;
                }
            }
            Token::Word(_) | Token::Quoted(_) | Token::Open | Token::Key(_) | Token::Bar => {}
        }
        if *token == Token::Open {
            depth += 1;
        }
        key_place = None;
    }
    if unnamed > function.most() {
        return Err(wrong_arguments(function, "has more arguments than it takes"));
    }
    let is_given = |place: usize| place < unnamed || named.contains(&place);
    if !(0..function.required()).all(is_given) {
        return Err(wrong_arguments(function, "has fewer arguments than it needs"));
    }
    Ok(())
}

/// What a quoted text says. In Handlebars only the quote itself can be escaped; any other backslash is one.
pub(super) fn unquoted(quoted: &str) -> String {
    let quote = quoted.get(..1).unwrap_or_default();
    let inner = quoted.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote)).unwrap_or_default();
    inner.replace(&format!("\\{quote}"), quote)
}

fn unknown_argument(function: &Function, key: &str) -> Flaw {
    let names: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).collect();
    let suggestion = closest(key, &names);
    let flaw = wrong_arguments(function, &format!("has an argument \"{key}\" that it does not know"));
    Flaw { suggestion, ..flaw }
}

/// A helper that there is none of, and what was probably meant.
pub(super) fn unknown_helper(helper: &str) -> Flaw {
    let shown = quoted(helper);
    let told = |message: String| Flaw { code: "unknown_helper", message, suggestion: None };
    if helper.contains(['.', '[']) {
        return told(format!(
            "Behind the path {shown} stands something; put a key with spaces into brackets, steps.1.[my key]."
        ));
    }
    if matches!(helper, "elseif" | "elsif" | "elif") {
        return told(format!("There is no helper {shown}; write {{{{else if …}}}}."));
    }
    let known: Vec<&str> = BLOCK_HELPERS.into_iter().chain(function::NAMES.iter().copied()).collect();
    let suggestion = closest(helper, &known);
    let meant = suggestion.as_ref().map(|close| format!(" Did you mean \"{close}\"?")).unwrap_or_default();
    let message = format!("There is no helper {shown}; docs/expressions.md lists them all.{meant}");
    Flaw { code: "unknown_helper", message, suggestion }
}

/// A block that there is none of. A function has no body.
pub(super) fn unknown_block(helper: &str) -> Flaw {
    let Some(Function { name, .. }) = function::find(helper) else { return unknown_helper(helper) };
    let message = format!(
        "{name} is no block; write {{{{#if ({name} …)}}}} to decide by it, or {{{{{name} …}}}} for what it gives."
    );
    Flaw { code: "unknown_helper", message, suggestion: None }
}
