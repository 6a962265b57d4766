//! Strings: JSON's own, with raw control characters, single quotes and escapes that JSON does not have.

use super::reader::Reader;
use super::{Fault, Repair};

impl Reader<'_> {
    /// Reads the string that begins with the quote here.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let quote = self.peek().unwrap_or(b'"');
        if quote == b'\'' {
            self.mend(Repair::SingleQuotes);
        }
        self.at += 1;

        let mut content = String::new();
        loop {
            let plain = self.plain_text(quote);
            content.push_str(plain);
            match self.peek() {
                None => return Err(Fault { at: start, message: "The string that begins here has no end" }),
                Some(b'\\') => self.escape(&mut content),
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(content);
                    }
                    self.mend(Repair::ControlChar);
                    content.push(char::from(byte));
                }
            }
        }
    }

    /// What stands before the next quote, backslash or control character.
    fn plain_text(&mut self, quote: u8) -> &str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| byte == quote || byte == b'\\' || byte < 0x20).unwrap_or(rest.len());

        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn escape(&mut self, content: &mut String) {
        let mut characters = self.rest().chars();
        characters.next();
        let meant = match characters.next() {
            Some('u') => return self.unicode_escape(content),
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => return self.bad_escape(other, content),
            // A backslash ends the text; the string has no end then, which the caller sees.
            None => {
                self.at += 1;
                return;
            }
        };
        content.push(meant);
        self.at += 2;
    }

    /// Leaves the backslash out, as JavaScript does.
    fn bad_escape(&mut self, escaped: char, content: &mut String) {
        self.mend(Repair::BadEscape);
        self.at += 1;
        // What follows is read as any other text, so that a control character is noted too; but a quote would end the string.
        if escaped == '\'' {
            content.push(escaped);
            self.at += 1;
        }
    }

    fn unicode_escape(&mut self, content: &mut String) {
        let Some(unit) = self.code_unit(self.at) else {
            return self.bad_escape('u', content);
        };
        let second = self.code_unit(self.at + 6);
        let units = [unit, second.unwrap_or_default()];

        match char::decode_utf16(units).next() {
            Some(Ok(character)) => {
                content.push(character);
                self.at += 6 * character.len_utf16();
            }
            Some(Err(_)) | None => {
                self.mend(Repair::LoneSurrogate);
                content.push(char::REPLACEMENT_CHARACTER);
                self.at += 6;
            }
        }
    }

    /// The number that `\uXXXX` at this place stands for.
    fn code_unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        u16::from_str_radix(digits, 16).ok()
    }
}
