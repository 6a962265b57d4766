//! The helpers of templates: the blocks, and every function by its name.

use super::Flaw;
use super::tag::Token;
use crate::function::{self, Function, wrong_arguments};
use crate::problem::closest;

/// The helpers that have a body.
pub(super) const BLOCK_HELPERS: [&str; 4] = ["if", "unless", "each", "with"];

/// The function that a tag of one word calls: one that needs no arguments. Any other word is a path.
pub(super) fn bare_function(word: &str) -> Option<&'static Function> {
    function::find(word).filter(|function| function.required() == 0)
}

/// Checks how many arguments there are, and the names of those that have one.
pub(super) fn check_arguments(function: &Function, tokens: &[Token<'_>]) -> Result<(), Flaw> {
    let (mut depth, mut unnamed) = (0usize, 0usize);
    let mut named: Vec<usize> = Vec::new();
    let mut is_value_of_key = false;
    for token in tokens {
        match token {
            Token::Close => depth = depth.saturating_sub(1),
            Token::Key(key) if depth == 0 => {
                let place = function.place_of(key).ok_or_else(|| unknown_argument(function, key))?;
                named.push(place);
                is_value_of_key = true;
                continue;
            }
            Token::Word(_) | Token::Quoted(_) | Token::Open if depth == 0 && !is_value_of_key => unnamed += 1,
            Token::Word(_) | Token::Quoted(_) | Token::Open | Token::Key(_) | Token::Bar => {}
        }
        if *token == Token::Open {
            depth += 1;
        }
        is_value_of_key = false;
    }
    if unnamed > function.most() {
        return Err(flaw_of(wrong_arguments(function, "has more arguments than it takes")));
    }
    let is_given = |place: usize| place < unnamed || named.contains(&place);
    if !(0..function.required()).all(is_given) {
        return Err(flaw_of(wrong_arguments(function, "has fewer arguments than it needs")));
    }
    Ok(())
}

fn unknown_argument(function: &Function, key: &str) -> Flaw {
    let names: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).collect();
    let suggestion = closest(key, &names);
    let flaw = flaw_of(wrong_arguments(function, &format!("has an argument \"{key}\" that it does not know")));
    Flaw { suggestion, ..flaw }
}

fn flaw_of(bad: function::BadCall) -> Flaw {
    Flaw { code: bad.code, message: bad.message, suggestion: bad.suggestion }
}

/// A helper that there is none of, and the one that was probably meant.
pub(super) fn unknown_helper(helper: &str) -> Flaw {
    let known: Vec<&str> = BLOCK_HELPERS.into_iter().chain(function::NAMES.iter().copied()).collect();
    let suggestion = closest(helper, &known);
    let meant = suggestion.as_ref().map(|close| format!(" Did you mean \"{close}\"?")).unwrap_or_default();
    let shown = crate::naming::quoted(helper);
    let message = format!("There is no helper {shown}; docs/expressions.md lists them all.{meant}");
    Flaw { code: "unknown_helper", message, suggestion }
}
