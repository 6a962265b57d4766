//! `docs/providers.md` says what the apps say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a page panics as the tests that call it do"
)]

#[path = "../apps/arrival.rs"]
mod arrival;
mod pages;

use std::fs;

#[test]
fn the_page_of_the_providers_is_what_the_apps_say() {
    let page = fs::read_to_string(pages::page_path()).unwrap();
    assert!(page == pages::made_anew(&page), "run: cargo run -p apps --example write_provider_docs");
}

#[test]
fn every_provider_has_its_section() {
    let page = fs::read_to_string(pages::page_path()).unwrap();
    for app in apps::all() {
        assert!(page.contains(&format!("\n## {}\n", app.display_name())), "{}", app.display_name());
    }
}
