//! What a guard may be set to.

use domain::{Guard, Secret};

use super::{
    captcha::Captcha,
    origin,
    shown::{NONCE_FIELD, TOKEN_FIELD},
};
use crate::ports::{Unavailable, World};

/// The longest that a form may be made to wait. *Why*: a token is good for two hours, and a person has to fit in there.
const FILL_LIMIT_SECONDS: u32 = 3_600;

/// The most work. *Why*: each bit doubles it, and 24 bits keep a fast machine busy for a minute.
const WORK_LIMIT_BITS: u8 = 24;

/// The longest name of a honeypot, in bytes.
const HONEYPOT_LIMIT_BYTES: usize = 64;

/// The longest secret of a captcha.
const SECRET_LIMIT_BYTES: usize = 256;

const CHALLENGE_KEY_BYTES: usize = 32;

/// Says what is wrong with `guard`, in a sentence; `Ok` when a form can be guarded so.
pub fn check(guard: &Guard) -> Result<(), String> {
    origin::check_named(guard)?;
    if guard.honeypot.as_deref().is_some_and(|name| !is_honeypot(name)) {
        return Err(format!(
            "guard.honeypot is the plain name of a field, 1 to {HONEYPOT_LIMIT_BYTES} bytes without brackets, and no field that the guard has already"
        ));
    }
    if guard.minimum_fill_seconds.is_some_and(|seconds| !(1..=FILL_LIMIT_SECONDS).contains(&seconds)) {
        return Err(format!("guard.minimumFillSeconds is 1 to {FILL_LIMIT_SECONDS}"));
    }
    if guard.proof_of_work_bits.is_some_and(|bits| !(1..=WORK_LIMIT_BITS).contains(&bits)) {
        return Err(format!("guard.proofOfWorkBits is 1 to {WORK_LIMIT_BITS}"));
    }
    let is_secret = |secret: &Secret| (1..=SECRET_LIMIT_BYTES).contains(&secret.reveal().len());
    if !guard.turnstile_secret.iter().chain(&guard.recaptcha_secret).all(is_secret) {
        return Err(format!("the secret of a captcha has 1 to {SECRET_LIMIT_BYTES} bytes"));
    }
    if guard.recaptcha_minimum_percent.is_some_and(|percent| percent > 100) {
        return Err("guard.recaptchaMinimumScore is 0 to 1".to_owned());
    }
    if guard.recaptcha_minimum_percent.is_some() && guard.recaptcha_secret.is_none() {
        return Err("guard.recaptchaMinimumScore needs guard.recaptchaSecret".to_owned());
    }
    Ok(())
}

/// `guard` with a key for its challenges: the one it had `before`, so that forms that are open stay good, or a new one.
///
/// *Errors*: [`Unavailable`] without a source of chance.
pub fn with_challenge_key(guard: Guard, before: Option<&Guard>, world: &dyn World) -> Result<Guard, Unavailable> {
    let kept = before.and_then(|before| before.challenge_key.clone());
    let challenge_key = match kept {
        Some(key) => key,
        None => {
            let mut random = [0; CHALLENGE_KEY_BYTES];
            world.fill(&mut random)?;
            Secret::new(hex::encode(random))
        }
    };
    Ok(Guard { challenge_key: Some(challenge_key), ..guard })
}

fn is_honeypot(name: &str) -> bool {
    let taken = [TOKEN_FIELD, NONCE_FIELD, Captcha::TURNSTILE_FIELD, Captcha::RECAPTCHA_FIELD];
    (1..=HONEYPOT_LIMIT_BYTES).contains(&name.len())
        && !taken.contains(&name)
        && !name.contains(|character: char| character.is_control() || matches!(character, '[' | ']'))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;
    use crate::memory::FixedWorld;

    #[test]
    fn each_limit_holds_at_its_end_and_not_one_past() {
        let secret = |bytes: usize| Some(Secret::new("s".repeat(bytes)));
        let empty = Guard::default;
        for (guard, good) in [
            (empty(), true),
            (Guard { minimum_fill_seconds: Some(1), ..empty() }, true),
            (Guard { minimum_fill_seconds: Some(0), ..empty() }, false),
            (Guard { minimum_fill_seconds: Some(3_600), ..empty() }, true),
            (Guard { minimum_fill_seconds: Some(3_601), ..empty() }, false),
            (Guard { proof_of_work_bits: Some(1), ..empty() }, true),
            (Guard { proof_of_work_bits: Some(0), ..empty() }, false),
            (Guard { proof_of_work_bits: Some(24), ..empty() }, true),
            (Guard { proof_of_work_bits: Some(25), ..empty() }, false),
            (Guard { honeypot: Some("website".to_owned()), ..empty() }, true),
            (Guard { honeypot: Some("ö".repeat(32)), ..empty() }, true),
            (Guard { honeypot: Some("ö".repeat(33)), ..empty() }, false),
            (Guard { honeypot: Some(String::new()), ..empty() }, false),
            (Guard { honeypot: Some("a[b]".to_owned()), ..empty() }, false),
            (Guard { honeypot: Some("a\nb".to_owned()), ..empty() }, false),
            (Guard { honeypot: Some("hw_token".to_owned()), ..empty() }, false),
            (Guard { turnstile_secret: secret(256), ..empty() }, true),
            (Guard { turnstile_secret: secret(257), ..empty() }, false),
            (Guard { recaptcha_secret: secret(0), ..empty() }, false),
            (Guard { recaptcha_secret: secret(1), recaptcha_minimum_percent: Some(100), ..empty() }, true),
            (Guard { recaptcha_secret: secret(1), recaptcha_minimum_percent: Some(101), ..empty() }, false),
            (Guard { recaptcha_minimum_percent: Some(50), ..empty() }, false),
        ] {
            assert_eq!(check(&guard).is_ok(), good, "{guard:?}");
        }
    }

    #[test]
    fn a_guard_keeps_its_key_when_it_is_changed() {
        let world = FixedWorld::at(Timestamp::from_millisecond(0));
        let first = with_challenge_key(Guard::default(), None, &world).unwrap();
        assert_eq!(first.challenge_key.as_ref().unwrap().reveal().len(), 64);
        let second = with_challenge_key(Guard::default(), Some(&first), &world).unwrap();
        assert_eq!(second.challenge_key, first.challenge_key);
        let other = with_challenge_key(Guard::default(), Some(&Guard::default()), &world).unwrap();
        assert_ne!(other.challenge_key, first.challenge_key);
    }
}
