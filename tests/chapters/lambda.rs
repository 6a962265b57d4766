//! The same on Lambda: the functions' own binaries as processes of their own, spoken to by events.

mod batches;
mod calls;
mod dead_letters;
mod mails;
mod outages;
mod posts;
mod requests;
mod template;
mod ticks;
mod webhooks;

use tests::lambda::Binaries;

const BINARIES: Binaries = Binaries {
    form_hook: env!("CARGO_BIN_EXE_lambda-form-hook"),
    webhook: env!("CARGO_BIN_EXE_lambda-webhook"),
    email_hook: env!("CARGO_BIN_EXE_lambda-email-hook"),
    executor: env!("CARGO_BIN_EXE_lambda-executor"),
    api: env!("CARGO_BIN_EXE_lambda-api"),
    ticker: env!("CARGO_BIN_EXE_lambda-ticker"),
};
