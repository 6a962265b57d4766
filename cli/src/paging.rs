//! Pages of lists: the flags, and the command that shows the next page.

use serde_json::Value;

use crate::client::Address;

/// Which page of a list is wanted.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Paging {
    /// How many at once, 1 to 100 [default: 25]
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,
    /// Where the page begins, from the hint below an earlier one
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Paging {
    /// The list's address with this page in its query.
    pub(crate) fn apply(&self, address: Address) -> Address {
        let page_size = self.page_size.map(|size| size.to_string());
        address.query("pageSize", page_size.as_deref()).query("after", self.after.as_deref())
    }
}

/// Where the page after `document` begins, if there is one.
pub(crate) fn next_cursor(document: &Value) -> Option<String> {
    let next = document.pointer("/links/next")?.as_str()?;
    let (_, query) = next.split_once('?')?;
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="))?;
    Some(percent_encoding::percent_decode_str(after).decode_utf8_lossy().into_owned())
}

/// The command line `words` again, for the page that begins at `cursor`. A key that was typed is not repeated.
pub(crate) fn next_command(words: &[String], cursor: &str) -> String {
    let mut command = vec!["hookwright".to_owned()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = word.split_once('=').map_or(word.as_str(), |(flag, _)| flag);
        if !matches!(flag, "--after" | "--api-key") {
            command.push(quoted(word));
        } else if flag == word {
            words.next();
        }
    }
    command.push("--after".to_owned());
    command.push(quoted(cursor));
    command.join(" ")
}

/// The word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | ',' | '+');
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_page_is_the_same_command_from_another_place() {
        let rows = [
            (vec!["hooks", "ls"], "a1", "hookwright hooks ls --after a1"),
            (
                vec!["hooks", "ls", "--after", "a1", "--page-size=2"],
                "b#2",
                "hookwright hooks ls --page-size=2 --after 'b#2'",
            ),
            (vec!["--api-key", "hk_secret", "hooks", "ls", "--after=a1"], "b", "hookwright hooks ls --after b"),
            (
                vec!["klasses", "ls", "--url", "http://x y"],
                "it's",
                r"hookwright klasses ls --url 'http://x y' --after 'it'\''s'",
            ),
        ];
        for (words, cursor, command) in rows {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert_eq!(next_command(&words, cursor), command);
        }
    }

    #[test]
    fn the_cursor_is_read_from_the_answers_link() {
        let next = |link: Value| next_cursor(&json!({ "links": { "next": link } }));
        assert_eq!(next(json!("/v1/klasses?page=2&pageSize=1&after=a%23b%2F")), Some("a#b/".to_owned()));
        assert_eq!(next(Value::Null), None);
        assert_eq!(next_cursor(&json!({})), None);
    }
}
