//! Mail: what a mail to a hook's address becomes, from what SES tells to the runs of workflows.

mod bodies;
mod corpus;
mod data;
mod hooks;
mod key;
mod loops;
mod outages;
mod poison;
mod policy;
mod quarantine;
mod recipients;
mod repeats;
mod senders;
