//! Whole mails.
#![no_main]

use fuzz::check_mail;
use ingest::mail::Wishes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| check_mail(raw, &Wishes::default()));
