//! What may stand between two tokens: white space, comments, and the wrappers that hide a script from old browsers.

use super::reader::Reader;
use super::{Fault, Repair};

const ENDLESS_COMMENT: &str = "The comment that begins here has no end";

impl Reader<'_> {
    /// Goes to the next token, or to the end of the text.
    pub(super) fn skip_space(&mut self) -> Result<(), Fault> {
        loop {
            let rest = self.rest();
            let tight = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - tight.len();

            let is_over = match tight.as_bytes().first() {
                None => true,
                Some(b'/') => !self.skip_script_comment()?,
                Some(b'<') => !self.skip_opening()?,
                Some(b'-') => !self.skip_if("-->", Repair::HtmlComment),
                Some(b']') => self.depth > 0 || !self.skip_if("]]>", Repair::Cdata),
                Some(0x0B | 0x0C | 0x80..) => !self.skip_odd_character(),
                Some(_) => true,
            };
            if is_over {
                return Ok(());
            }
        }
    }

    /// `// …` and `/* … */`. Those that only hide a CDATA mark from JavaScript are that mark.
    fn skip_script_comment(&mut self) -> Result<bool, Fault> {
        let rest = self.rest();

        if let Some(line) = rest.strip_prefix("//") {
            let (content, mark) = (line.trim_start_matches([' ', '\t']), "<![CDATA[");
            if self.depth == 0 && content.starts_with(mark) {
                self.mend(Repair::Cdata);
                self.at += rest.len() - content.len() + mark.len();
                return Ok(true);
            }
            let end = line.find(['\n', '\r']).unwrap_or(line.len());
            self.mend(comment_kind(line.get(..end).unwrap_or_default()));
            self.at += 2 + end;
            return Ok(true);
        }

        let Some(inside) = rest.strip_prefix("/*") else {
            return Ok(false);
        };
        let Some(end) = inside.find("*/") else {
            return Err(self.fault(ENDLESS_COMMENT));
        };
        self.mend(comment_kind(inside.get(..end).unwrap_or_default()));
        self.at += 4 + end;
        Ok(true)
    }

    /// `<!--` with the comment it begins, or as the first half of a wrapper; and `<![CDATA[`.
    fn skip_opening(&mut self) -> Result<bool, Fault> {
        if self.depth == 0 && self.skip_if("<![CDATA[", Repair::Cdata) {
            return Ok(true);
        }
        let Some(inside) = self.rest().strip_prefix("<!--") else {
            return Ok(false);
        };

        let comment = inside.split_once("-->");
        // Only the first one can wrap: each other search for an end goes past what it has found, so all of them together are linear.
        if self.may_be_wrapped && comment.is_none_or(|(_, after)| after.trim_start().is_empty()) {
            self.may_be_wrapped = false;
            return Ok(self.skip_if("<!--", Repair::HtmlComment));
        }
        let Some((content, _)) = comment else {
            return Err(self.fault(ENDLESS_COMMENT));
        };
        self.mend(Repair::HtmlComment);
        self.at += "<!--".len() + content.len() + "-->".len();
        Ok(true)
    }

    fn skip_if(&mut self, mark: &str, repair: Repair) -> bool {
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.mend(repair);
            self.at += mark.len();
        }
        is_next
    }

    fn skip_odd_character(&mut self) -> bool {
        let Some(character) = self.rest().chars().next() else {
            return false;
        };
        let repair = match character {
            '\u{feff}' => Repair::Bom,
            '\u{200b}'..='\u{200d}' | '\u{2060}' => Repair::OddWhitespace,
            _ if character.is_whitespace() => Repair::OddWhitespace,
            _ => return false,
        };
        self.mend(repair);
        self.at += character.len_utf8();
        true
    }
}

fn comment_kind(content: &str) -> Repair {
    match content.trim() {
        "<![CDATA[" | "]]>" => Repair::Cdata,
        _ => Repair::Comment,
    }
}
