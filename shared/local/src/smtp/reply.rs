//! Answers, as lines of SMTP.
//!
//! Part of a text may be what a client sent: nothing in it can begin another line.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::SmtpRefusal;

/// The most characters of a line of text. *Source*: 512 bytes with all the rest, RFC 5321, 4.5.3.1.5.
const TEXT_LIMIT: usize = 400;

/// One answer, of one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// Empty where the standard has none.
    enhanced: &'static str,
    /// Lines with `\n` between them.
    text: Cow<'static, str>,
}

impl Reply {
    pub(crate) const fn new(code: u16, enhanced: &'static str, text: &'static str) -> Self {
        Self { code, enhanced, text: Cow::Borrowed(text) }
    }

    pub(crate) const fn saying(code: u16, enhanced: &'static str, text: String) -> Self {
        Self { code, enhanced, text: Cow::Owned(text) }
    }

    /// The answer as the last one, after which the connection ends.
    pub(crate) fn as_last(&self) -> Self {
        Self::saying(421, "4.7.0", format!("{}; that was one error too many", self.text))
    }

    /// Puts the lines behind those in `out`.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            out.put_slice(self.code.to_string().as_bytes());
            out.put_u8(if lines.peek().is_some() { b'-' } else { b' ' });
            if !self.enhanced.is_empty() {
                out.put_slice(self.enhanced.as_bytes());
                out.put_u8(b' ');
            }
            out.extend(line.chars().take(TEXT_LIMIT).map(printable));
            out.put_slice(b"\r\n");
        }
    }
}

impl From<SmtpRefusal> for Reply {
    fn from(refusal: SmtpRefusal) -> Self {
        let code = if (400..600).contains(&refusal.code) { refusal.code } else { 451 };
        Self::saying(code, refusal.enhanced, refusal.text.replace(['\r', '\n'], " "))
    }
}

fn printable(character: char) -> u8 {
    match u8::try_from(character) {
        Ok(byte @ b' '..=b'~') => byte,
        Ok(_) | Err(_) => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(reply: &Reply) -> String {
        let mut out = BytesMut::new();
        reply.write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_line_but_the_last_says_that_more_come() {
        assert_eq!(lines(&Reply::new(250, "", "a\nSIZE 9\nb")), "250-a\r\n250-SIZE 9\r\n250 b\r\n");
        assert_eq!(lines(&Reply::new(214, "2.0.0", "a\nb")), "214-2.0.0 a\r\n214 2.0.0 b\r\n");
    }

    #[test]
    fn a_refusal_is_one_line_of_printable_text_whatever_is_in_it() {
        let refusal = |code, text: &str| lines(&SmtpRefusal { code, enhanced: "5.1.1", text: text.to_owned() }.into());
        assert_eq!(refusal(550, "a\r\n250 b\0é\u{7f}"), "550 5.1.1 a  250 b???\r\n");
        assert_eq!(refusal(250, "x"), "451 5.1.1 x\r\n");
        assert_eq!(refusal(600, "x"), "451 5.1.1 x\r\n");
        assert_eq!(refusal(550, &"x".repeat(1_000)).len(), "550 5.1.1 ".len() + TEXT_LIMIT + 2);
    }
}
