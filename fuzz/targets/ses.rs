//! Events of SES, S3 and SNS as a function gets them.
#![no_main]

use ingest::ses::{self, Notice};
use libfuzzer_sys::fuzz_target;

const WORD_LIMIT_CHARS: usize = 32;

fuzz_target!(|event: &[u8]| {
    for notice in ses::read(event) {
        match notice {
            Notice::Delivery(delivery) => {
                let verdicts = &delivery.verdicts;
                let words = [&verdicts.spam, &verdicts.virus, &verdicts.spf, &verdicts.dkim, &verdicts.dmarc];
                for word in words.into_iter().flatten() {
                    assert!(word.chars().count() <= WORD_LIMIT_CHARS);
                }
                for recipient in delivery.recipients.iter().flatten() {
                    ses::recipient_in_received(recipient, &delivery.id);
                }
            }
            Notice::Ignored { reason } => assert!(!reason.is_empty()),
        }
    }
});
