//! What the words of a tag mean: blocks and their names, paths, numbers and what a loop sets.

use super::helper::{BLOCK_HELPERS, unknown_block};
use super::tag::{Token, bad};
use crate::path::Path;
use crate::problem::Flaw;

/// What a loop itself sets, read with `@`.
const LOOP_VARIABLES: [&str; 4] = ["index", "key", "first", "last"];

#[derive(Debug)]
pub(super) struct Block {
    pub(super) helper: String,
    pub(super) scope: Scope,
    /// The names between bars, `as |item index|`.
    pub(super) names: Vec<String>,
    /// How many parts it has so far, its own and one for each `else if`.
    pub(super) parts: usize,
    /// Whether its last part, a bare `else`, has begun.
    pub(super) is_last_part: bool,
}

/// Whether a bare path inside a block starts at an item, as in `each` and `with`, or where it did outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Item,
    Outer,
}

/// What a word stands for in the rewritten template.
#[derive(Debug)]
pub(super) enum Operand {
    Slot(usize),
    Source(String),
}

impl Operand {
    pub(super) fn source(&self) -> String {
        match self {
            Operand::Slot(slot) => format!("@root.[{slot}]"),
            Operand::Source(source) => source.clone(),
        }
    }
}

pub(super) fn block_helper<'a, 't>(tokens: &'a [Token<'t>]) -> Result<(&'t str, &'a [Token<'t>]), Flaw> {
    match tokens {
        [Token::Word(helper), arguments @ ..] if BLOCK_HELPERS.contains(helper) => {
            let has_argument = arguments.first().is_some_and(|first| *first != Token::Word("as"));
            if has_argument { Ok((helper, arguments)) } else { Err(bad(&format!("give {{{{#{helper}}}}} a value"))) }
        }
        [Token::Word(helper), ..] => Err(unknown_block(helper)),
        _ => Err(bad("a block begins with the name of a helper")),
    }
}

pub(super) fn scope(helper: &str) -> Scope {
    if matches!(helper, "each" | "with") { Scope::Item } else { Scope::Outer }
}

/// The names between bars.
pub(super) fn names(tokens: &[Token<'_>]) -> Vec<String> {
    let barred = tokens.iter().skip_while(|token| **token != Token::Bar).skip(1);
    let words = barred.map_while(|token| match token {
        Token::Word(word) => Some((*word).to_owned()),
        Token::Key(_) | Token::Quoted(_) | Token::Open | Token::Close | Token::Bar => None,
    });
    words.collect()
}

/// Splits after the parenthesis that closes the one just taken.
pub(super) fn split_parentheses<'a, 't>(tokens: &'a [Token<'t>]) -> (&'a [Token<'t>], &'a [Token<'t>]) {
    let mut open = 1usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => open += 1,
            Token::Close => open -= 1,
            Token::Word(_) | Token::Key(_) | Token::Quoted(_) | Token::Bar => {}
        }
        if open == 0 {
            let (inner, after) = tokens.split_at(at);
            return (inner, after.get(1..).unwrap_or_default());
        }
    }
    (tokens, &[])
}

/// `@index`, `../@index` or `@../index`, in the order of the last, which is the only one the crate reads.
pub(super) fn loop_variable(word: &str) -> Option<String> {
    let bare = word.replacen('@', "", 1);
    let name = bare.trim_start_matches("../");
    let is_marked = word.starts_with('@') || word.trim_start_matches("../").starts_with('@');
    (is_marked && LOOP_VARIABLES.contains(&name)).then(|| format!("@{bare}"))
}

/// How many `../` a path begins with, and the path without them and without `this`.
pub(super) fn split_ups(word: &str) -> (usize, &str) {
    let mut ups = 0;
    let mut path = word;
    while let Some(rest) = path.strip_prefix("../") {
        ups += 1;
        path = rest;
    }
    if path == ".." {
        return (ups + 1, "");
    }
    let without_this = ["this.", "this/", "./"].iter().find_map(|prefix| path.strip_prefix(prefix));
    match without_this {
        Some(rest) => (ups, rest),
        None if matches!(path, "this" | ".") => (ups, ""),
        None => (ups, path),
    }
}

pub(super) fn parse_path(path: &str) -> Result<Path, Flaw> {
    Path::parse(path).map_err(|reason| bad(&format!("in the path \"{path}\", {reason}")))
}

pub(super) fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
