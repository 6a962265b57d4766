//! A request as a curl command for a POSIX shell.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    outgoing::Outgoing,
    output::{Page, visible},
};

/// The command on as many lines as it has parts.
///
/// *Why sometimes through `base64`*: what acts on terminals is printed spelled out, which would change the bytes; and
/// curl takes what begins with `@` for the name of a file.
pub(super) fn page(request: &Outgoing) -> Page {
    let mut page = Page::default();
    let text = std::str::from_utf8(&request.body).ok().filter(|text| visible(text) == *text && !text.starts_with('@'));
    let before = match text {
        Some(_) => String::new(),
        None => format!("printf %s {} | base64 -d | ", STANDARD.encode(&request.body)),
    };
    page.line(format!("{before}curl -sS -i -X {} {} \\", quoted(&request.method), quoted(&request.url)));
    for (name, value) in request.lasting_headers() {
        page.line(format!("  -H {} \\", quoted(&format!("{name}: {value}"))));
    }
    page.line(match text {
        Some(text) => format!("  --data-binary {}", quoted(text)),
        None => "  --data-binary @-".to_owned(),
    });
    page
}

/// The text as one word; what is masked, such as `$HOOKWRIGHT_HOOK_KEY`, is left for the shell to fill in.
fn quoted(text: &str) -> String {
    match text.split_once(super::plan::MASKED_KEY).or_else(|| text.split_once(super::plan::MASKED_CREDENTIALS)) {
        None => single(text),
        Some((before, after)) => {
            let variable = text.get(before.len()..text.len() - after.len()).unwrap_or_default();
            let after = if after.is_empty() { String::new() } else { single(after) };
            format!("{}\"{variable}\"{after}", single(before))
        }
    }
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &[u8]) -> Outgoing {
        Outgoing {
            method: "POST".to_owned(),
            url: "https://hooks.example.com/h?a='b'".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), format!("Bearer {}", super::super::plan::MASKED_KEY)),
            ],
            body: body.to_vec(),
        }
    }

    #[test]
    fn what_a_shell_reads_is_quoted_and_what_is_masked_is_left_to_it() {
        let expected = "\
curl -sS -i -X 'POST' 'https://hooks.example.com/h?a='\\''b'\\''' \\
  -H 'content-type: application/json' \\
  -H 'authorization: Bearer '\"$HOOKWRIGHT_HOOK_KEY\" \\
  --data-binary '{\"a\":\"it'\\''s $HOME\"}'
";
        assert_eq!(page(&request(br#"{"a":"it's $HOME"}"#)).to_string(), expected);
    }

    #[test]
    fn bytes_that_a_terminal_would_change_go_through_base64() {
        for body in [&b"a\nb"[..], b"\xff", b"\x1b[0m", b"@/etc/hostname"] {
            let command = page(&request(body)).to_string();
            assert!(command.starts_with("printf %s ") && command.ends_with("--data-binary @-\n"), "{command}");
        }
    }
}
