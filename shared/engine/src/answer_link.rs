//! Links that answer a step which waits for a person: what a link names, and the signature that no reader can make.
//!
//! A link is a credential. It says which run, step and choice it is for, so nothing is stored when one is made; whoever has
//! it may answer, and only that step.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{OrgId, RunId, Timestamp};
use ring::hmac;

use crate::surroundings::MASK;

/// Where links lead below the public address.
pub const LINKS_PATH: &str = "/v1/answers/";

/// What every token begins with, so that texts can be searched for them.
const TOKEN_PREFIX: &str = "hwanswer";

/// How long a link may be used. *Why*: a wait takes no longer either.
pub const LINK_LIMIT_SECONDS: i64 = 366 * 24 * 60 * 60;

/// The most characters of a token. *Why*: with the address before it, mail programs and gateways take it whole.
pub const TOKEN_LIMIT_CHARACTERS: usize = 1_500;

const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 12;
const TAG_BYTES: usize = 32;

/// What the signature is about beside the link, so that no other signature of the same key is one of a link.
const PURPOSE: &[u8] = b"hookwright answer link 1\n";

/// What an org signs its links with. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; KEY_BYTES]);

/// What a link is for.
///
/// *Shape*: as a token `hwanswer` and base64url of the ids, the instant in milliseconds, each text behind its length in two
/// bytes, and the HMAC-SHA256 of all that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerLink {
    /// The owner of the run.
    pub org: OrgId,
    /// The run.
    pub run: RunId,
    /// When it was made; what was answered after this is not answered by it again.
    pub made_at: Timestamp,
    /// The branch of the step that made it, or of the one that waits.
    pub branch: String,
    /// The step that waits.
    pub step: String,
    /// The only choice that it gives; empty where whoever has it chooses.
    pub choice: String,
}

/// A token that was taken apart and may be anybody's.
#[derive(Debug)]
pub struct Unverified {
    link: AnswerLink,
    signed: Vec<u8>,
    tag: Vec<u8>,
}

impl LinkKey {
    /// A key of 32 bytes that nobody can guess.
    pub const fn from_random(random: [u8; KEY_BYTES]) -> LinkKey {
        LinkKey(random)
    }

    /// The key that `text` spells in hex.
    pub fn parse(text: &str) -> Option<LinkKey> {
        hex::decode(text).ok()?.try_into().ok().map(LinkKey)
    }

    /// The key in hex, to be kept.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl AnswerLink {
    /// The token that says this and is signed with `key`; none where it would be over [`TOKEN_LIMIT_CHARACTERS`].
    pub fn token(&self, key: &LinkKey) -> Option<String> {
        let mut bytes = self.signed()?;
        let tag = hmac::sign(&key.key(), &[PURPOSE, &bytes].concat());
        bytes.extend(tag.as_ref());
        let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        (token.len() <= TOKEN_LIMIT_CHARACTERS).then_some(token)
    }

    /// When it ends.
    pub fn ends_at(&self) -> Timestamp {
        self.made_at.plus_seconds(LINK_LIMIT_SECONDS)
    }

    fn signed(&self) -> Option<Vec<u8>> {
        let mut bytes = hex::decode(self.org.to_string()).ok()?;
        bytes.extend(hex::decode(self.run.to_string()).ok()?);
        bytes.extend(self.made_at.as_millisecond().to_be_bytes());
        for text in [&self.branch, &self.step, &self.choice] {
            bytes.extend(u16::try_from(text.len()).ok()?.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        Some(bytes)
    }

    fn read(bytes: &[u8]) -> Option<AnswerLink> {
        let (org, bytes) = bytes.split_at_checked(ID_BYTES)?;
        let (run, bytes) = bytes.split_at_checked(ID_BYTES)?;
        let (made_at, mut bytes) = bytes.split_first_chunk()?;
        let mut text = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            bytes = rest;
            String::from_utf8(text.to_vec()).ok()
        };
        let (branch, step, choice) = (text()?, text()?, text()?);
        let org = OrgId::parse(&hex::encode(org)).ok()?;
        let run = RunId::parse(&hex::encode(run)).ok()?;
        let made_at = Timestamp::from_millisecond(i64::from_be_bytes(*made_at));
        bytes.is_empty().then_some(AnswerLink { org, run, made_at, branch, step, choice })
    }
}

impl Unverified {
    /// What `token` says, if it is one.
    pub fn parse(token: &str) -> Option<Unverified> {
        let encoded = token.strip_prefix(TOKEN_PREFIX).filter(|_| token.len() <= TOKEN_LIMIT_CHARACTERS)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        let link = AnswerLink::read(signed)?;
        Some(Unverified { link, signed: signed.to_vec(), tag: tag.to_vec() })
    }

    /// The org whose key has to have signed it.
    pub fn org(&self) -> OrgId {
        self.link.org
    }

    /// The link, if `key` signed it.
    pub fn verify(self, key: &LinkKey) -> Option<AnswerLink> {
        let is_signed = hmac::verify(&key.key(), &[PURPOSE, &self.signed].concat(), &self.tag).is_ok();
        is_signed.then_some(self.link)
    }
}

/// A mask in the place of every token in `text`, also where it was cut or percent-encoded.
pub(crate) fn mask_tokens(text: &mut String) {
    // Most texts hold none, and this is asked of all that is shown.
    if !has_token(text) {
        return;
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, found)) = find_token(rest).and_then(|at| rest.split_at_checked(at)) {
        masked.push_str(before);
        masked.push_str(MASK);
        rest = found.trim_start_matches(is_of_token);
    }
    masked.push_str(rest);
    *text = masked;
}

/// Whether a token, or the beginning of one, is in `text`.
pub(crate) fn has_token(text: &str) -> bool {
    find_token(text).is_some()
}

fn find_token(text: &str) -> Option<usize> {
    let wanted = TOKEN_PREFIX.as_bytes();
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))
}

fn is_of_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> AnswerLink {
        AnswerLink {
            org: OrgId::parse("581392b55ac7a2110099d9c8").unwrap(),
            run: RunId::parse("6a1f2e3d4c5b6a7980a1b2c3").unwrap(),
            made_at: Timestamp::from_millisecond(1_795_867_200_123),
            branch: "each#1.3".to_owned(),
            step: "ask".to_owned(),
            choice: "zustimmen – ja".to_owned(),
        }
    }

    fn key() -> LinkKey {
        LinkKey::from_random([7; 32])
    }

    #[test]
    fn a_token_says_what_was_signed_and_only_to_the_key_that_signed_it() {
        let token = link().token(&key()).unwrap();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        let read = Unverified::parse(&token).unwrap();
        assert_eq!(read.org(), link().org);
        assert_eq!(read.verify(&key()), Some(link()));
        assert_eq!(Unverified::parse(&token).unwrap().verify(&LinkKey::from_random([8; 32])), None);
        assert_eq!(link().ends_at(), link().made_at.plus_seconds(366 * 86_400));
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed_and_no_end_taken_off() {
        let token = link().token(&key()).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(TOKEN_PREFIX).unwrap()).unwrap();
        let read = |bytes: &[u8]| {
            let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
            Unverified::parse(&token).and_then(|read| read.verify(&key()))
        };
        assert_eq!(read(&bytes), Some(link()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
        for length in 0..token.len() {
            assert!(Unverified::parse(&token[..length]).and_then(|read| read.verify(&key())).is_none(), "{length}");
        }
    }

    #[test]
    fn a_token_has_a_limit() {
        let of = |letters| AnswerLink { step: "s".repeat(letters), ..link() }.token(&key());
        let longest = (0..2_000).rev().find_map(of).unwrap();
        assert!((TOKEN_LIMIT_CHARACTERS - 1..=TOKEN_LIMIT_CHARACTERS).contains(&longest.len()), "{}", longest.len());
        assert!(Unverified::parse(&longest).unwrap().verify(&key()).is_some());
        assert!(Unverified::parse(&format!("{longest}AAAA")).is_none());
        assert_eq!(of(70_000), None);
    }

    #[test]
    fn a_token_is_masked_wherever_it_stands() {
        let token = link().token(&key()).unwrap();
        let encoded = token.replace('-', "%2D").replace('_', "%5F");
        for (text, expected) in [
            (format!("https://a.example/v1/answers/{token}"), "https://a.example/v1/answers/••••••••".to_owned()),
            (format!("<a href=\"{token}\">{encoded}</a>."), "<a href=\"••••••••\">••••••••</a>.".to_owned()),
            (format!("{}…", &token[..40]), "••••••••…".to_owned()),
            (token.to_uppercase(), "••••••••".to_owned()),
            ("Ünd hwanswe r".to_owned(), "Ünd hwanswe r".to_owned()),
        ] {
            let mut masked = text.clone();
            mask_tokens(&mut masked);
            assert_eq!(masked, expected, "{text}");
        }
        assert_eq!(format!("{:?}", key()), MASK);
        assert_eq!(LinkKey::parse(&key().to_hex()), Some(key()));
    }
}
