//! Samples that were changed on the way, or that nobody signed: nothing of them gets in.

use apps::samples;
use serde_json::Value;
use tests::{
    Answer,
    providers::{Connected, Letter, Sender, name_of},
    world::World,
};

use super::{check, check_none, is_own_reply};

/// Providers whose proof does not cover the body: a password, and a token.
const BODY_IS_NOT_SIGNED: [&str; 2] = ["postmark", "gmail"];

/// Refused with `status`, and nothing on the queue.
fn check_refused(world: &World, answer: &Answer, status: u16, how: &str) -> Result<(), String> {
    let is_refused = answer.status == status && world.queue.depth() == 0;
    check(is_refused, || format!("{how}, it was answered {answer:?}, and {} are on the queue", world.queue.depth()))
}

/// The letter with one bit of its body, or of its query where it has no body, turned over, at several places.
fn flipped(letter: &Letter) -> Vec<Letter> {
    if letter.body.is_empty() {
        let (rest, last) = letter.path.split_at(letter.path.len() - 1);
        let other = if last == "1" { "2" } else { "1" };
        return vec![Letter { path: format!("{rest}{other}"), ..letter.clone() }];
    }
    let length = letter.body.len();
    // What SNS signs is chosen by name; the message always is.
    let message = b"\"Message\":\"";
    let covered = letter.body.windows(message.len()).position(|window| window == message);
    [0, covered.map_or(length / 2, |place| place + message.len()), length - 1]
        .into_iter()
        .map(|place| {
            let mut letter = letter.clone();
            letter.body[place] ^= 1;
            letter
        })
        .collect()
}

/// A value like `value`, of the same shape and not the same.
fn altered(value: &str) -> String {
    let place = value.len() - 5;
    let other = if value.as_bytes()[place] == b'1' { '2' } else { '1' };
    format!("{}{other}{}", &value[..place], &value[place + 1..])
}

#[tokio::test]
async fn a_sample_with_one_bit_turned_over_is_refused_and_reaches_nobody() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        if BODY_IS_NOT_SIGNED.contains(&sample.app) {
            continue;
        }
        let world = World::new().await;
        let Connected { letter, .. } = Connected::new(&world, sample).await;
        for forged in flipped(&letter) {
            let answer = forged.send(&world).await;
            if let Err(problem) = check_refused(&world, &answer, 401, "with a flipped bit") {
                problems.push(format!("{}: {problem}", name_of(sample)));
            }
        }
    }
    check_none(problems);
}

#[tokio::test]
async fn a_sample_whose_proof_is_missing_altered_empty_or_there_twice_is_refused() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        let world = World::new().await;
        let Connected { letter, .. } = Connected::new(&world, sample).await;
        for name in &letter.proofs {
            let value = letter.header(name);
            let bare = letter.without(name);
            for (how, forged, status) in [
                ("without", bare.clone(), 401),
                ("with an altered", bare.and(name, &altered(value)), 401),
                ("with an empty", bare.and(name, ""), 401),
                ("with twice the same", letter.and(name, value), 400),
                ("with a second", letter.and(name, "x"), 400),
            ] {
                let answer = forged.send(&world).await;
                if let Err(problem) = check_refused(&world, &answer, status, &format!("{how} {name}")) {
                    problems.push(format!("{}: {problem}", name_of(sample)));
                }
            }
        }
        let answer = letter.send(&world).await;
        if !is_own_reply(sample.app, &answer) {
            problems.push(format!("{}: after its forgeries it was answered {answer:?}", name_of(sample)));
        }
    }
    check_none(problems);
}

#[tokio::test]
async fn a_sample_signed_with_another_secret_is_refused() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        let world = World::new().await;
        let Connected { letter, mut sender, .. } = Connected::new(&world, sample).await;
        if sender.settings.secrets.is_empty() {
            continue;
        }
        let mut secret = sender.settings.secrets.remove(0);
        secret.replace_range(secret.len() - 4.., "AAAA");
        sender.settings.secrets.push(secret);
        let bare = letter.proofs.iter().fold(letter.clone(), |letter, name| letter.without(name));
        let forged = sender.sign(&bare, "delivery-2", service::ports::World::now(world.clock.as_ref()).as_second());
        let answer = forged.send(&world).await;
        if let Err(problem) = check_refused(&world, &answer, 401, "with another secret") {
            problems.push(format!("{}: {problem}", name_of(sample)));
        }
    }
    check_none(problems);
}

/// The providers that sign the time, and for how long a signature is good, in seconds.
const TIMED: [(&str, i64); 7] = [
    ("calendly.invitee.create", 180),
    ("slack.message.receive", 300),
    ("stripe.customer.created", 300),
    ("tiktok.lead.receive", 300),
    ("standard-webhooks.event.receive", 300),
    ("sns.notification.receive", 3_900),
    // The token is good for an hour, and a minute for clocks.
    ("gmail.mailbox.change", 3_660),
];

#[tokio::test]
async fn a_signature_is_good_to_the_last_second_of_its_time_and_no_longer() {
    for (event, seconds) in TIMED {
        let sample = samples::find(event).unwrap_or_else(|| panic!("no sample of {event}"));
        for (late_seconds, is_taken) in [(seconds, true), (seconds + 1, false), (10 * seconds, false)] {
            let world = World::new().await;
            let Connected { letter, .. } = Connected::new(&world, sample).await;
            world.clock.pass_seconds(late_seconds);
            let answer = letter.send(&world).await;
            let is_right = if is_taken { is_own_reply(sample.app, &answer) } else { answer.status == 401 };
            assert!(is_right, "{}, {late_seconds} s old: {answer:?}", name_of(sample));
            assert_eq!(world.queue.depth(), usize::from(is_taken), "{}", name_of(sample));
        }
    }
}

#[tokio::test]
async fn a_signature_of_the_future_is_refused() {
    for (event, seconds) in TIMED {
        let sample = samples::find(event).unwrap();
        let world = World::new().await;
        let Connected { letter, .. } = Connected::new(&world, sample).await;
        world.clock.pass_seconds(-seconds - 1);
        let answer = letter.send(&world).await.expect(401);
        assert_eq!((world.queue.depth(), answer.body["data"].clone()), (0, Value::Null), "{}", name_of(sample));
    }
}

#[tokio::test]
async fn signed_times_that_are_no_times_are_refused() {
    let sample = samples::find("slack.message.receive").unwrap();
    let world = World::new().await;
    let Connected { letter, sender, .. } = Connected::new(&world, sample).await;
    let Sender { scheme, settings, .. } = sender;
    let bare = letter.without("x-slack-signature").without("x-slack-request-timestamp");
    for now_seconds in [0, -1, i64::MIN, i64::MAX, 1_795_348_800_000] {
        let sender = Sender { scheme: scheme.clone(), settings: settings.clone(), key: None };
        let answer = sender.sign(&bare, "1", now_seconds).send(&world).await;
        check_refused(&world, &answer, 401, &format!("signed at {now_seconds}")).unwrap();
    }
    for timestamp in ["", " ", "1e9", "0x10", "+1795348800", "1795348800.0", "99999999999999999999999", "١"] {
        let answer = letter.without("x-slack-request-timestamp").and("x-slack-request-timestamp", timestamp);
        check_refused(&world, &answer.send(&world).await, 401, &format!("signed at {timestamp:?}")).unwrap();
    }
}
