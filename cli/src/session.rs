//! One command's talk with the API: an answer is shown as the user wants to see it.

use serde_json::Value;

use crate::{
    client::{Address, Client},
    config::{self, Config, Global},
    failure::Failure,
    output::{self, Format, Page},
    paging::{self, Paging},
};

/// The API and how its answers are shown.
pub(crate) struct Session {
    /// The API.
    pub(crate) client: Client,
    /// How answers are shown.
    pub(crate) format: Format,
}

impl Session {
    /// A session as the flags and the environment want it. Nothing is sent yet.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        Ok(Self { client: Client::new(Config::load(global)?), format: global.format() })
    }

    /// Shows the resource in `document`.
    pub(crate) fn show(&self, document: &Value, view: impl FnOnce(&Value) -> Page) -> Result<(), Failure> {
        match self.format {
            Format::Json => output::print(&json_page(document)),
            Format::Human => output::print(&view(document.get("data").unwrap_or(document))),
        }
    }

    /// Shows a whole document, whose meaning is not in `data` alone.
    pub(crate) fn show_document(&self, document: &Value, view: impl FnOnce(&Value) -> Page) -> Result<(), Failure> {
        match self.format {
            Format::Json => output::print(&json_page(document)),
            Format::Human => output::print(&view(document)),
        }
    }

    /// Reads a page of the list at `address` and shows it, with the command for the next page.
    pub(crate) fn list(
        &self,
        address: Address,
        paging: &Paging,
        view: impl FnOnce(&[Value]) -> Page,
    ) -> Result<(), Failure> {
        self.list_document(address, paging, |document| {
            view(document.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice))
        })
    }

    /// The same of a list whose meaning is not in `data` alone.
    pub(crate) fn list_document(
        &self,
        address: Address,
        paging: &Paging,
        view: impl FnOnce(&Value) -> Page,
    ) -> Result<(), Failure> {
        let document = self.client.get(&paging.apply(address))?;
        match self.format {
            Format::Json => output::print(&json_page(&document)),
            Format::Human => {
                let mut page = view(&document);
                if let Some(cursor) = paging::next_cursor(&document) {
                    page.line(format!("More: {}", paging::next_command(&config::words(), &cursor)));
                }
                output::print(&page)
            }
        }
    }

    /// Removes what is at `address` and says so. The API answers without a document, so `--json` prints nothing.
    pub(crate) fn remove(&self, address: &Address, sentence: String) -> Result<(), Failure> {
        self.client.delete(address)?;
        match self.format {
            Format::Json => Ok(()),
            Format::Human => output::print(&Page::of_line(sentence)),
        }
    }
}

fn json_page(document: &Value) -> Page {
    let mut page = Page::default();
    page.json(document);
    page
}
