//! The front door for webhooks on Lambda.

fn main() {}
