//! Texts written for another place: HTML, URIs, patterns, base64, signatures; and ids that nobody can guess from outside.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::hmac;
use serde_json::{Value, json};

use super::{Arguments, Function, checked, either, links, literal, markdown, optional, path, unknown_word};
use crate::fault::Fault;
use crate::limits::TEMPLATE_LIMIT_BYTES;
use crate::problem::Flaw;

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "escape", aliases: &["escapeHTML"], parameters: &[path("text")], body: escape },
    Function { name: "escapeRegExp", aliases: &[], parameters: &[path("text")], body: escape_reg_exp },
    Function { name: "encodeURI", aliases: &["uriEncode"], parameters: &[path("text")], body: encode_uri },
    Function {
        name: "encodeURIComponent",
        aliases: &["urlEncode"],
        parameters: &[path("text")],
        body: encode_uri_component,
    },
    Function {
        name: "decodeURIComponent",
        aliases: &["decodeURI", "urlDecode"],
        parameters: &[path("text")],
        body: decode_uri_component,
    },
    Function {
        name: "base64",
        aliases: &["base64Encode", "encodeBase64"],
        parameters: &[path("text"), optional(literal("alphabet"))],
        body: base64_encode,
    },
    Function { name: "base64Decode", aliases: &["decodeBase64"], parameters: &[path("text")], body: base64_decode },
    Function {
        name: "hmac",
        aliases: &["authHMAC", "hmacSHA"],
        parameters: &[
            path("text"),
            either("secret"),
            optional(checked(literal("algorithm"), check_algorithm)),
            optional(checked(literal("encoding"), check_encoding)),
        ],
        body: hmac,
    },
    Function { name: "markdownToHTML", aliases: &["markdown"], parameters: &[path("text")], body: markdown_to_html },
    Function {
        name: "removeMarkdown",
        aliases: &["stripMarkdown"],
        parameters: &[path("text")],
        body: remove_markdown,
    },
    Function { name: "randomId", aliases: &[], parameters: &[optional(literal("size"))], body: random_id },
    Function { name: "getAppSetting", aliases: &["appSetting"], parameters: &[either("name")], body: get_app_setting },
    Function {
        name: "answerLink",
        aliases: &[],
        parameters: &[literal("step"), optional(literal("choice"))],
        body: links::answer_link,
    },
];

/// What `encodeURI` of JavaScript leaves alone.
const URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b';')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b'#');

/// What `encodeURIComponent` of JavaScript leaves alone.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What means something in a pattern.
const RESERVED: &str = r"^$\.*+?()[]{}|";

/// What `randomId` draws from.
const RANDOM_ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const RANDOM_SIZE: i64 = 10;
const RANDOM_LIMIT_CHARACTERS: i64 = 256;

type Given<'e, 'a> = Arguments<'e, 'a>;
type Gives = Result<Option<Value>, Fault>;

fn escape(arguments: &Given<'_, '_>) -> Gives {
    Ok(arguments.text(0).map(|text| json!(handlebars::html_escape(&text))))
}

fn escape_reg_exp(arguments: &Given<'_, '_>) -> Gives {
    let escaped = |text: &str| {
        let escape = |character: char| RESERVED.contains(character).then_some('\\').into_iter().chain([character]);
        text.chars().flat_map(escape).collect::<String>()
    };
    Ok(arguments.text(0).map(|text| json!(escaped(&text))))
}

fn encode_uri(arguments: &Given<'_, '_>) -> Gives {
    encoded(arguments, URI)
}

fn encode_uri_component(arguments: &Given<'_, '_>) -> Gives {
    encoded(arguments, URI_COMPONENT)
}

fn encoded(arguments: &Given<'_, '_>, left_alone: &'static AsciiSet) -> Gives {
    Ok(arguments.text(0).map(|text| json!(utf8_percent_encode(&text, left_alone).to_string())))
}

fn decode_uri_component(arguments: &Given<'_, '_>) -> Gives {
    let decoded =
        arguments.text(0).and_then(|text| percent_decode_str(&text).decode_utf8().ok().map(|text| json!(text)));
    Ok(decoded)
}

fn base64_encode(arguments: &Given<'_, '_>) -> Gives {
    let is_url = arguments.text(1).is_some_and(|alphabet| alphabet.eq_ignore_ascii_case("url"));
    let engine = if is_url { &URL_SAFE_NO_PAD } else { &STANDARD };
    Ok(arguments.text(0).map(|text| json!(engine.encode(text.as_bytes()))))
}

/// Both alphabets, with padding or without; what is no text once decoded is missing.
fn base64_decode(arguments: &Given<'_, '_>) -> Gives {
    let Some(text) = arguments.text(0) else { return Ok(None) };
    let plain: String = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace() && *character != '=')
        .map(|character| match character {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    let decoded = URL_SAFE_NO_PAD.decode(plain).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(decoded.map(Value::String))
}

/// Whether an author's word is a digest.
fn check_algorithm(word: &str) -> Result<(), Flaw> {
    let unknown = || unknown_word("digest", word, &["sha256", "sha1", "sha384", "sha512"]);
    algorithm(word).map(|_| ()).ok_or_else(unknown)
}

/// Whether an author's word is a spelling of bytes.
fn check_encoding(word: &str) -> Result<(), Flaw> {
    const ENCODINGS: [&str; 3] = ["hex", "base64", "base64url"];
    let is_known = ENCODINGS.contains(&word.to_ascii_lowercase().as_str());
    if is_known { Ok(()) } else { Err(unknown_word("encoding", word, &ENCODINGS)) }
}

fn algorithm(word: &str) -> Option<hmac::Algorithm> {
    match word.to_ascii_lowercase().as_str() {
        "sha256" | "sha-256" => Some(hmac::HMAC_SHA256),
        "sha1" | "sha-1" => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        "sha384" | "sha-384" => Some(hmac::HMAC_SHA384),
        "sha512" | "sha-512" => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn hmac(arguments: &Given<'_, '_>) -> Gives {
    let Some((text, secret)) = arguments.text(0).zip(arguments.text(1)) else { return Ok(None) };
    let Some(algorithm) = algorithm(arguments.text(2).as_deref().unwrap_or("sha256")) else { return Ok(None) };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), text.as_bytes());
    Ok(match arguments.text(3).as_deref().unwrap_or("hex").to_ascii_lowercase().as_str() {
        "hex" => Some(json!(hex::encode(tag))),
        "base64" => Some(json!(STANDARD.encode(tag))),
        "base64url" => Some(json!(URL_SAFE_NO_PAD.encode(tag))),
        _ => None,
    })
}

fn markdown_to_html(arguments: &Given<'_, '_>) -> Gives {
    arguments.text(0).map(|text| bounded(markdown::to_html(&text))).transpose()
}

fn remove_markdown(arguments: &Given<'_, '_>) -> Gives {
    arguments.text(0).map(|text| bounded(markdown::to_text(&text))).transpose()
}

fn bounded(text: String) -> Result<Value, Fault> {
    if text.len() > TEMPLATE_LIMIT_BYTES { Err(Fault::TemplateTooLarge) } else { Ok(Value::String(text)) }
}

/// Letters and digits that follow from the run, the step, the visit and how many were drawn before.
fn random_id(arguments: &Given<'_, '_>) -> Gives {
    let size = if arguments.is_given(0) { arguments.whole(0) } else { Some(RANDOM_SIZE) };
    let Some(size) = size.filter(|size| (1..=RANDOM_LIMIT_CHARACTERS).contains(size)) else { return Ok(None) };
    let mut id = String::new();
    while id.len() < usize::try_from(size).unwrap_or_default() {
        // Bytes past the last multiple of 36 would make the first letters likelier.
        let fair = arguments.evaluation.draw().into_iter().filter(|byte| *byte < 252);
        let letters = fair.filter_map(|byte| RANDOM_ALPHABET.get(usize::from(byte) % RANDOM_ALPHABET.len()));
        letters.for_each(|letter| id.push(char::from(*letter)));
    }
    id.truncate(usize::try_from(size).unwrap_or_default());
    Ok(Some(Value::String(id)))
}

/// `{app}.{category}.{name}`; the name of an app may hold dots itself.
fn get_app_setting(arguments: &Given<'_, '_>) -> Gives {
    let Some(name) = arguments.text(0) else { return Ok(None) };
    let mut parts = name.rsplitn(3, '.');
    let (setting, category, app) = (parts.next(), parts.next(), parts.next());
    let found = app
        .and_then(|app| arguments.evaluation.setup().app_settings.get(app))
        .and_then(|app| app.get(category?))
        .and_then(|category| category.get(setting?));
    if found.is_none() {
        let quoted = || crate::naming::quoted(&name);
        arguments
            .evaluation
            .tell(|| format!("There is no app setting {}; it is written as app.category.name.", quoted()));
    }
    Ok(found.cloned())
}
