//! Turns a template as an author wrote it into one the `handlebars` crate compiles and nothing can misuse.
//!
//! Every path into the run becomes `@root.[n]`, the n-th slot; a path relative to a loop's item becomes a call of
//! `value-of`. Both are then walked by the same code as references, so `emails[0].email`, `emails.0.email`,
//! step ids with dashes and keys with `@` all work, and nothing missing is ever an error.

use std::collections::HashMap;

use serde_json::Value;

use super::Piece;
use super::helper::{bare_function, check_arguments, unknown_helper, unquoted};
use super::tag::{Kind, Part, Tag, Token, bad, next_part};
use super::words::{
    Block, Operand, Scope, block_helper, is_number, loop_variable, names, parse_path, scope, split_parentheses,
    split_ups,
};
use crate::function;
use crate::path::Path;
use crate::problem::Flaw;

/// How deep blocks may nest.
const BLOCKS_LIMIT_LEVELS: usize = 8;

/// How many parts the open blocks may have together: each `else if` stands inside of what is before it, and the crate renders
/// what is inside by calling itself.
const PARTS_LIMIT: usize = 64;

/// How many tags a template may have that the crate compiles, which takes it time quadratic in them.
const TAGS_LIMIT: usize = 1_000;

/// A template ready to compile, and what it reads.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) source: String,
    pub(super) slots: Vec<Path>,
    /// The functions it calls, each once.
    pub(super) functions: Vec<&'static str>,
    /// Whether blocks or functions decide which of its paths are needed.
    pub(super) decides: bool,
    /// The same template without Handlebars; `None` once anything but text and plain tags was met.
    pub(super) pieces: Option<Vec<Piece>>,
}

#[derive(Debug, Default)]
struct Rewriter {
    done: Rewritten,
    /// The slot of every path met so far.
    slots: HashMap<String, usize>,
    blocks: Vec<Block>,
    tags: usize,
}

/// Rewrites a template.
///
/// *Errors* — a [`Flaw`] for anything this dialect does not have.
pub(super) fn rewrite(text: &str) -> Result<Rewritten, Flaw> {
    let mut rewriter = Rewriter::default();
    rewriter.done.pieces = Some(Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = next_part(rest)?;
        rewriter.add(part)?;
        rest = after;
    }
    match rewriter.blocks.last() {
        Some(block) => Err(bad(&format!("close the block {{{{#{}}}}}", block.helper))),
        None if rewriter.done.pieces.is_none() && rewriter.tags > TAGS_LIMIT => Err(too_many_tags()),
        None => Ok(rewriter.done),
    }
}

impl Rewriter {
    fn add(&mut self, part: Part<'_>) -> Result<(), Flaw> {
        match part {
            Part::Text(text) => {
                self.done.source.push_str(text);
                self.add_piece(Piece::Text(text.to_owned()));
                Ok(())
            }
            Part::EscapedText(text) | Part::Comment(text) => {
                self.tags += 1;
                self.done.source.push_str(text);
                self.done.pieces = None;
                Ok(())
            }
            Part::Tag(tag) => self.add_tag(&tag),
        }
    }

    fn add_tag(&mut self, tag: &Tag<'_>) -> Result<(), Flaw> {
        self.tags += 1;
        if self.done.pieces.is_none() && self.tags > TAGS_LIMIT {
            return Err(too_many_tags());
        }
        match (tag.kind, tag.tokens.as_slice()) {
            (Kind::Inverse, tokens) | (Kind::Escaped, [Token::Word("else"), tokens @ ..]) => self.add_else(tag, tokens),
            (Kind::Open, tokens) => self.add_open(tag, tokens),
            (Kind::Close, tokens) => self.add_close(tag, tokens),
            (Kind::Escaped | Kind::Raw, [Token::Word(path)]) if bare_function(path).is_none() => {
                self.add_value(tag, path)
            }
            (Kind::Escaped | Kind::Raw, tokens) => self.add_call(tag, tokens),
        }
    }

    /// `{{path}}`
    fn add_value(&mut self, tag: &Tag<'_>, path: &str) -> Result<(), Flaw> {
        let operand = self.operand(path)?;
        self.write(tag, &format!("text-of {}", operand.source()));
        match (operand, tag.trims) {
            (Operand::Slot(slot), (false, false)) if tag.kind == Kind::Raw => self.add_piece(Piece::Raw(slot)),
            (Operand::Slot(slot), (false, false)) => self.add_piece(Piece::Escaped(slot)),
            (Operand::Slot(_) | Operand::Source(_), _) => self.done.pieces = None,
        }
        Ok(())
    }

    /// `{{helper argument argument}}`
    fn add_call(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        self.done.pieces = None;
        let call = self.call(tokens)?;
        self.write(tag, &format!("text-of ({call})"));
        Ok(())
    }

    /// `{{#helper argument as |name|}}`
    fn add_open(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        self.done.pieces = None;
        if self.blocks.len() >= BLOCKS_LIMIT_LEVELS {
            return Err(bad(&format!("nest blocks at most {BLOCKS_LIMIT_LEVELS} levels deep")));
        }
        let (helper, arguments) = block_helper(tokens)?;
        let source = format!("#{}", self.block(helper, arguments)?);
        self.write(tag, &source);
        self.done.decides = true;
        let (scope, names) = (scope(helper), names(arguments));
        self.blocks.push(Block { helper: helper.to_owned(), scope, names, parts: 1, is_last_part: false });
        self.check_parts()
    }

    /// `{{else}}`, `{{else if argument}}`, `{{^}}`
    fn add_else(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        self.done.pieces = None;
        let block = self.blocks.last_mut().ok_or_else(|| bad("an {{else}} stands outside of any block"))?;
        if block.is_last_part {
            return Err(bad(&format!("the block {{{{#{}}}}} has two {{{{else}}}}", block.helper)));
        }
        block.scope = Scope::Outer;
        block.names.clear();
        block.is_last_part = tokens.is_empty();
        block.parts += 1;
        self.check_parts()?;
        if tokens.is_empty() {
            self.write(tag, "else");
            return Ok(());
        }

        let (helper, arguments) = block_helper(tokens)?;
        let source = format!("else {}", self.block(helper, arguments)?);
        self.write(tag, &source);
        if let Some(block) = self.blocks.last_mut() {
            block.scope = scope(helper);
            block.names = names(arguments);
        }
        Ok(())
    }

    fn check_parts(&self) -> Result<(), Flaw> {
        let parts: usize = self.blocks.iter().map(|block| block.parts).sum();
        if parts > PARTS_LIMIT {
            return Err(bad(&format!(
                "open blocks may have at most {PARTS_LIMIT} parts together, each {{{{else if}}}} counted"
            )));
        }
        Ok(())
    }

    /// `{{/helper}}`
    fn add_close(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>]) -> Result<(), Flaw> {
        let block = self.blocks.pop().ok_or_else(|| bad("a block is closed that was not opened"))?;
        if tokens != [Token::Word(&block.helper)] {
            return Err(bad(&format!("close the block {{{{#{0}}}}} with {{{{/{0}}}}}", block.helper)));
        }
        self.write(tag, &format!("/{}", block.helper));
        Ok(())
    }

    fn add_piece(&mut self, piece: Piece) {
        if let Some(pieces) = &mut self.done.pieces {
            pieces.push(piece);
        }
    }

    fn write(&mut self, tag: &Tag<'_>, inner: &str) {
        let before = if tag.trims.0 { "~" } else { "" };
        let after = if tag.trims.1 { "~" } else { "" };
        let (open, close) = if tag.kind == Kind::Raw { ("{", "}") } else { ("", "") };
        self.done.source.push_str(&format!("{{{{{before}{open}{inner}{close}{after}}}}}"));
    }

    /// `helper argument`; what is truthy is our own affair.
    fn block(&mut self, helper: &str, arguments: &[Token<'_>]) -> Result<String, Flaw> {
        let arguments = self.arguments(arguments)?;
        Ok(match helper {
            "if" | "unless" => format!("{helper} (truthy {arguments})"),
            _ => format!("{helper} {arguments}"),
        })
    }

    fn arguments(&mut self, tokens: &[Token<'_>]) -> Result<String, Flaw> {
        let mut source = String::new();
        let mut rest = tokens;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                Token::Word("as") if after.first() == Some(&Token::Bar) => {
                    source.push_str(&format!("as |{}|", names(tokens).join(" ")));
                    break;
                }
                Token::Word(word) => source.push_str(&self.argument(word)?),
                Token::Key(key) => source.push_str(&format!("{key}=")),
                Token::Quoted(quoted) => source.push_str(&Value::from(unquoted(quoted)).to_string()),
                Token::Open => {
                    let (inner, after) = split_parentheses(rest);
                    source.push_str(&format!("({})", self.call(inner)?));
                    rest = after;
                }
                Token::Close | Token::Bar => return Err(bad("a \")\" or \"|\" stands where a value should")),
            }
            source.push(' ');
        }
        Ok(source)
    }

    /// `helper argument argument`, or one path in parentheses.
    fn call(&mut self, tokens: &[Token<'_>]) -> Result<String, Flaw> {
        let (word, arguments) = match tokens {
            [Token::Word(word)] if bare_function(word).is_none() => return self.argument(word),
            [Token::Word(word), arguments @ ..] => (word, arguments),
            _ => return Err(bad("a tag begins with a path or the name of a helper")),
        };
        let function = function::find(word).ok_or_else(|| unknown_helper(word))?;
        check_arguments(function, arguments)?;
        self.done.decides |= function.is_for_missing();
        if !self.done.functions.contains(&function.name) {
            self.done.functions.push(function.name);
        }
        Ok(format!("call \"{}\" {}", function.name, self.arguments(arguments)?))
    }

    fn argument(&mut self, word: &str) -> Result<String, Flaw> {
        if word == "undefined" {
            return Ok("null".to_owned());
        }
        if matches!(word, "true" | "false" | "null") || is_number(word) {
            return Ok(word.to_owned());
        }
        self.operand(word).map(|operand| operand.source())
    }

    fn operand(&mut self, word: &str) -> Result<Operand, Flaw> {
        if let Some(variable) = loop_variable(word) {
            return Ok(Operand::Source(variable));
        }
        if let Some(path) = word.strip_prefix("@root") {
            return self.slot(path.trim_start_matches(['.', '/']));
        }
        let (ups, path) = split_ups(word);
        let depth = self.blocks.iter().filter(|block| block.scope == Scope::Item).count();
        if ups >= depth {
            return self.slot(path);
        }
        self.relative(ups, path)
    }

    /// A path from the root of the run.
    fn slot(&mut self, path: &str) -> Result<Operand, Flaw> {
        if path.is_empty() {
            return Err(bad("a tag that names everything is not supported; name a step, as in {{{steps.1.id}}}"));
        }
        if let Some(slot) = self.slots.get(path) {
            return Ok(Operand::Slot(*slot));
        }
        let slot = self.done.slots.len();
        self.done.slots.push(parse_path(path)?);
        self.slots.insert(path.to_owned(), slot);
        Ok(Operand::Slot(slot))
    }

    /// A path from an item of a loop, or from a name given to one.
    fn relative(&self, ups: usize, path: &str) -> Result<Operand, Flaw> {
        if path.is_empty() {
            return Ok(Operand::Source(format!("{}this", "../".repeat(ups))));
        }
        let (first, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        let is_named = ups == 0 && self.blocks.iter().any(|block| block.names.iter().any(|name| name == first));
        if is_named && rest.is_empty() {
            return Ok(Operand::Source(first.to_owned()));
        }
        let (base, path) = if is_named {
            (first.to_owned(), rest.trim_start_matches('.'))
        } else {
            (format!("{}this", "../".repeat(ups)), path)
        };
        parse_path(path)?;
        let quoted = Value::from(path);
        Ok(Operand::Source(format!("(value-of {base} {quoted})")))
    }
}

fn too_many_tags() -> Flaw {
    bad(&format!("use at most {TAGS_LIMIT} tags in a template with blocks, helpers or comments"))
}
