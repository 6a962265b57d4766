//! Challenges: a token that proves when and for which hook it was issued, and work that is done on it.
//!
//! Nothing is stored when one is issued. The token says its own instant and is signed with the hook's challenge key, which
//! nobody outside has: the hash in the address would not do, because every visitor of the page sees it. What it asks for
//! (time and work) is what the hook is set to when the post comes.

use domain::{Guard, Hook, Rejected, Timestamp};
use ring::hmac;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{refused, shown::Shown};
use crate::{
    accept::NotAccepted,
    ports::{Unavailable, World},
};

/// How long a token is good for. *Why*: long enough for a form that is filled in over lunch, and every used token is kept
/// as long.
pub(crate) const LIFE_SECONDS: u32 = 2 * 60 * 60;

const LIFE_MS: i64 = LIFE_SECONDS as i64 * 1_000;

/// How far the clocks of two of our own machines may differ.
const SKEW_MS: i64 = 5_000;

/// The longest nonce. *Why*: the script needs 6 letters for 24 bits; the rest is room for other programs.
const NONCE_LIMIT_BYTES: usize = 64;

const VERSION: &str = "1";

/// Parts the signature from whatever else the key may ever sign.
const LABEL: &[u8] = b"hookwright form challenge 1\n";

const RANDOM_BYTES: usize = 16;

/// Whether a post needs a token.
pub(crate) const fn is_asked(guard: &Guard) -> bool {
    guard.minimum_fill_seconds.is_some() || guard.proof_of_work_bits.is_some()
}

/// A new challenge, as a document.
///
/// *Shape*: `{"data":{"type":"challenge","attributes":{"token","proofOfWorkBits","minimumFillSeconds","expiresAt"}}}`.
/// *Errors*: [`Unavailable`] without a source of chance, or without a key.
pub(crate) fn issue(hook: &Hook, guard: &Guard, world: &dyn World) -> Result<Value, Unavailable> {
    let mut random = [0; RANDOM_BYTES];
    world.fill(&mut random)?;
    let now = world.now();
    let token = token(hook, guard, &now.as_millisecond().to_string(), &hex::encode(random))?;
    Ok(json!({ "data": { "type": "challenge", "attributes": {
        "token": token,
        "proofOfWorkBits": guard.proof_of_work_bits.unwrap_or(0),
        "minimumFillSeconds": guard.minimum_fill_seconds.unwrap_or(0),
        "expiresAt": now.plus_seconds(LIFE_SECONDS.into()),
    } } }))
}

/// When the token that is shown was issued for this hook.
///
/// *Errors*: there is none; it is not ours, of another hook or from the future; it has expired.
pub(crate) fn issued_at(hook: &Hook, guard: &Guard, shown: &Shown, now: Timestamp) -> Result<Timestamp, NotAccepted> {
    let Some(shown) = shown.token.as_deref() else {
        let detail =
            "This form needs a challenge: GET its address with /challenge behind it and send the token as hw_token.";
        return Err(refused("challenge_missing", detail).into());
    };
    let Some((issued_ms, random)) = parts(shown) else { return Err(not_ours().into()) };
    let expected = token(hook, guard, &issued_ms.to_string(), random)?;
    // The whole text is compared, so that one token has one spelling: it is used once under it.
    if !bool::from(expected.as_bytes().ct_eq(shown.as_bytes())) {
        return Err(not_ours().into());
    }
    let age_ms = now.as_millisecond().saturating_sub(issued_ms);
    if age_ms < -SKEW_MS {
        return Err(not_ours().into());
    }
    if age_ms > LIFE_MS {
        let detail = "This challenge is older than 2 hours. Get a new one and send the form again.";
        return Err(refused("challenge_expired", detail).into());
    }
    Ok(Timestamp::from_millisecond(issued_ms))
}

/// *Errors*: the form came back faster than a person fills it in.
pub(crate) fn check_fill_time(guard: &Guard, issued_at: Timestamp, now: Timestamp) -> Result<(), Rejected> {
    let least_ms = i64::from(guard.minimum_fill_seconds.unwrap_or(0)) * 1_000;
    let left_ms = least_ms - (now.as_millisecond() - issued_at.as_millisecond());
    if left_ms <= 0 {
        return Ok(());
    }
    let left_seconds = left_ms.saturating_add(999) / 1_000;
    let detail = format!("The form came back too soon. Send it again in {left_seconds} s, with the same token.");
    Err(refused("challenge_too_fast", detail))
}

/// *Errors*: the work is missing or not enough.
pub(crate) fn check_work(guard: &Guard, shown: &Shown) -> Result<(), Rejected> {
    let Some(bits) = guard.proof_of_work_bits else { return Ok(()) };
    let (token, nonce) = (shown.token.as_deref().unwrap_or_default(), shown.nonce.as_deref().unwrap_or_default());
    if !nonce.is_empty() && nonce.len() <= NONCE_LIMIT_BYTES && leading_zero_bits(token, nonce) >= u32::from(bits) {
        return Ok(());
    }
    let detail = format!(
        "Send as hw_nonce a text of at most {NONCE_LIMIT_BYTES} bytes for which the SHA-256 of token, a dot and nonce \
         begins with {bits} zero bits."
    );
    Err(refused("proof_of_work_wrong", detail))
}

/// How many zero bits the SHA-256 of `{token}.{nonce}` begins with.
fn leading_zero_bits(token: &str, nonce: &str) -> u32 {
    let mut zeros = 0;
    for byte in Sha256::digest(format!("{token}.{nonce}")) {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros
}

/// `1.{issued_ms}.{random}.{signature}`.
fn token(hook: &Hook, guard: &Guard, issued_ms: &str, random: &str) -> Result<String, Unavailable> {
    let Some(key) = &guard.challenge_key else {
        return Err(Unavailable { port: "guard", cause: format!("hook {} has no challenge key", hook.id) });
    };
    let said = format!("{VERSION}.{issued_ms}.{random}");
    let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes()));
    signing.update(LABEL);
    signing.update(format!("{}.{}\n", hook.org, hook.id).as_bytes());
    signing.update(said.as_bytes());
    Ok(format!("{said}.{}", hex::encode(signing.sign())))
}

/// The instant and the random part that a token names.
fn parts(token: &str) -> Option<(i64, &str)> {
    let mut parts = token.split('.');
    let (version, issued_ms, random) = (parts.next()?, parts.next()?, parts.next()?);
    let is_like_ours = version == VERSION && random.len() == 2 * RANDOM_BYTES;
    if is_like_ours { Some((issued_ms.parse().ok()?, random)) } else { None }
}

fn not_ours() -> Rejected {
    refused("challenge_invalid", "This is no challenge of this form. Get one from its address and send it as it came.")
}

#[cfg(test)]
mod tests {
    use domain::{HookHash, HookId, HookKind, OrgId, Secret};
    use proptest::prelude::*;

    use super::*;
    use crate::memory::FixedWorld;

    const NOON_MS: i64 = 1_795_000_000_000;

    fn hook(seed: u8) -> Hook {
        let now = Timestamp::from_millisecond(NOON_MS);
        let org = OrgId::parse("581392b55ac7a2110099d9c8").unwrap();
        Hook::new(HookId::fresh(now, [seed; 8]), org, HookKind::Form, HookHash::from_random([seed; 32]), now)
    }

    fn guard() -> Guard {
        Guard {
            challenge_key: Some(Secret::new("k".repeat(64))),
            minimum_fill_seconds: Some(3),
            proof_of_work_bits: Some(8),
            ..Guard::default()
        }
    }

    fn issued() -> String {
        let world = FixedWorld::at(Timestamp::from_millisecond(NOON_MS));
        let document = issue(&hook(1), &guard(), &world).unwrap();
        document["data"]["attributes"]["token"].as_str().unwrap().to_owned()
    }

    fn judged(hook: &Hook, guard: &Guard, token: &str, after_ms: i64) -> Result<Timestamp, &'static str> {
        let shown = Shown { token: Some(token.to_owned()), ..Shown::default() };
        match issued_at(hook, guard, &shown, Timestamp::from_millisecond(NOON_MS + after_ms)) {
            Ok(at) => Ok(at),
            Err(NotAccepted::Rejected(rejected)) => Err(rejected.code),
            Err(NotAccepted::Unavailable(_)) => Err("unavailable"),
            Err(NotAccepted::Conflict(conflict)) => Err(conflict.rejected.code),
            Err(NotAccepted::Throttled(_)) => Err("throttled"),
        }
    }

    #[test]
    fn a_token_is_good_for_two_hours_and_not_a_millisecond_longer() {
        let token = issued();
        for (after_ms, verdict) in [
            (0, Ok(Timestamp::from_millisecond(NOON_MS))),
            (LIFE_MS, Ok(Timestamp::from_millisecond(NOON_MS))),
            (LIFE_MS + 1, Err("challenge_expired")),
            (-SKEW_MS, Ok(Timestamp::from_millisecond(NOON_MS))),
            (-SKEW_MS - 1, Err("challenge_invalid")),
        ] {
            assert_eq!(judged(&hook(1), &guard(), &token, after_ms), verdict, "{after_ms}");
        }
    }

    #[test]
    fn a_token_of_another_hook_or_key_or_with_any_character_changed_is_not_ours() {
        let token = issued();
        assert_eq!(judged(&hook(2), &guard(), &token, 0), Err("challenge_invalid"));
        let other_key = Guard { challenge_key: Some(Secret::new("j".repeat(64))), ..guard() };
        assert_eq!(judged(&hook(1), &other_key, &token, 0), Err("challenge_invalid"));
        let no_key = Guard { challenge_key: None, ..guard() };
        assert_eq!(judged(&hook(1), &no_key, &token, 0), Err("unavailable"));
        for at in 0..token.len() {
            for other in ["0", "1", "f", ".", "+", " ", ""] {
                let mut flipped = token.clone();
                flipped.replace_range(at..=at, other);
                if flipped != token {
                    assert_eq!(judged(&hook(1), &guard(), &flipped, 0), Err("challenge_invalid"), "{flipped}");
                }
            }
        }
        let upper = token.to_uppercase();
        let parts: Vec<&str> = token.split('.').collect();
        for odd in [
            upper,
            format!("{token}."),
            format!("{token}.1"),
            format!(" {token}"),
            format!("{}.0{}.{}.{}", parts[0], parts[1], parts[2], parts[3]),
            format!("{}.+{}.{}.{}", parts[0], parts[1], parts[2], parts[3]),
            format!("1.{}.{}.{}", i64::MAX, parts[2], parts[3]),
            format!("1.{}.{}.{}", i64::MIN, parts[2], parts[3]),
            format!("1.99999999999999999999.{}.{}", parts[2], parts[3]),
            "1".to_owned(),
            "...".to_owned(),
            "ü.ü.ü.ü".to_owned(),
            "x".repeat(1_000_000),
        ] {
            assert_eq!(judged(&hook(1), &guard(), &odd, 0), Err("challenge_invalid"));
        }
    }

    #[test]
    fn a_person_takes_the_whole_of_the_minimum() {
        let issued = Timestamp::from_millisecond(NOON_MS);
        let after = |ms| check_fill_time(&guard(), issued, Timestamp::from_millisecond(NOON_MS + ms));
        assert_eq!(after(3_000), Ok(()));
        let refused = after(2_999).unwrap_err();
        assert_eq!(refused.code, "challenge_too_fast");
        assert!(refused.detail.contains("in 1 s"), "{}", refused.detail);
        assert!(after(-5_000).unwrap_err().detail.contains("in 8 s"));
    }

    #[test]
    fn work_counts_leading_zero_bits() {
        // Found by search: for the token "t" each nonce has exactly the bits beside it.
        let first_with = |bits: u32| {
            (0_u32..).map(|nonce| nonce.to_string()).find(|nonce| leading_zero_bits("t", nonce) == bits).unwrap()
        };
        for bits in 1..=10_u8 {
            let shown = |nonce: String| Shown { token: Some("t".to_owned()), nonce: Some(nonce), ..Shown::default() };
            let asking = Guard { proof_of_work_bits: Some(bits), ..Guard::default() };
            let (enough, one_less) = (first_with(u32::from(bits)), first_with(u32::from(bits) - 1));
            assert_eq!(check_work(&asking, &shown(enough)), Ok(()));
            assert_eq!(check_work(&asking, &shown(one_less)).unwrap_err().code, "proof_of_work_wrong");
        }
    }

    #[test]
    fn a_nonce_has_64_bytes_and_not_65() {
        let asking = Guard { proof_of_work_bits: Some(1), ..Guard::default() };
        let solved = |bytes: usize| {
            let nonces = (0..100).map(|n| format!("{}{n:05}", "0".repeat(bytes - 5)));
            nonces.into_iter().find(|nonce| leading_zero_bits("t", nonce) >= 1).unwrap()
        };
        for (nonce, good) in
            [(solved(64), true), (solved(65), false), (solved(1_000_000), false), (String::new(), false)]
        {
            let shown = Shown { token: Some("t".to_owned()), nonce: Some(nonce), ..Shown::default() };
            assert_eq!(check_work(&asking, &shown).is_ok(), good);
        }
        let none = Shown { token: Some("t".to_owned()), ..Shown::default() };
        assert!(check_work(&asking, &none).is_err());
    }
    proptest! {
        #[test]
        fn nothing_that_somebody_made_up_is_a_token(text in "\\PC*|1\\.[0-9]{1,20}\\.[0-9a-f]{32}\\.[0-9a-f]{64}") {
            prop_assert_eq!(judged(&hook(1), &guard(), &text, 0), Err("challenge_invalid"));
        }
    }
}
