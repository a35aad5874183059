//! The scripts and the style of the page as they stand in it, and the policy that admits them and nothing else.
//!
//! The sources are for people: their comments and indents stay out of the page. Nothing else is changed, so that what a
//! browser shows of the page is what stands in the sources, line by line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("web/style.css");
/// The scripts in the order in which they are joined: they share one scope.
const SCRIPTS: [&str; 18] = [
    include_str!("web/format.js"),
    include_str!("web/dom.js"),
    include_str!("web/data.js"),
    include_str!("web/tree.js"),
    include_str!("web/shape.js"),
    include_str!("web/derive.js"),
    include_str!("web/state.js"),
    include_str!("web/search.js"),
    include_str!("web/flame.js"),
    include_str!("web/walk.js"),
    include_str!("web/grid.js"),
    include_str!("web/timeline.js"),
    include_str!("web/detail.js"),
    include_str!("web/tables.js"),
    include_str!("web/columns.js"),
    include_str!("web/source.js"),
    include_str!("web/keys.js"),
    include_str!("web/main.js"),
];

/// All scripts as one, in a scope of its own.
pub(super) fn script() -> String {
    format!("\"use strict\";(()=>{{\n{}}})();", SCRIPTS.map(lean).concat())
}

pub(super) fn style() -> String {
    lean(STYLE)
}

/// A text without indents, empty lines and lines of comment. No literal of ours goes over the end of a line, which a
/// test holds: in one, such lines would be no comments.
fn lean(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The policy that admits this script and this style, and nothing else.
pub(super) fn policy(script: &str, style: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a script: words, numbers, literals and signs, without blanks and comments.
    fn tokens(script: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        let mut rest = script;
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { return tokens };
            if rest.starts_with("//") {
                rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
                continue;
            }
            // A slash behind a value divides; elsewhere an expression begins with it.
            let before = tokens.last().and_then(|token: &&str| token.chars().last());
            let divides = before.is_some_and(|c| c.is_alphanumeric() || ")]}_$`\"'".contains(c));
            let length = match first {
                '"' | '\'' => literal(rest, first),
                '`' => template(rest),
                '/' if !divides => literal(rest, '/'),
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.push(&rest[..length]);
            rest = &rest[length..];
        }
    }

    fn is_word(c: char) -> bool {
        c.is_alphanumeric() || c == '_' || c == '$'
    }

    /// Length of a literal up to `end`, which may stand in the brackets of an expression.
    fn literal(text: &str, end: char) -> usize {
        let (mut escaped, mut bracket) = (false, false);
        for (at, c) in text.char_indices().skip(1) {
            assert_ne!(c, '\n', "a literal over the end of a line: {:.60}", text);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' | ']' if end == '/' => bracket = c == '[',
                _ if c == end && !bracket => return at + 1,
                _ => {}
            }
        }
        panic!("a literal without an end: {text:.60}")
    }

    /// Length of a template; what stands in its braces may have templates again.
    fn template(text: &str) -> usize {
        let mut at = 1;
        loop {
            let rest = &text[at..];
            match rest.chars().next().expect("a template has an end") {
                '`' => return at + 1,
                '\n' => panic!("a literal over the end of a line: {text:.60}"),
                '$' if rest.starts_with("${") => {
                    let (mut depth, mut inner) = (1, 2);
                    while depth > 0 {
                        let c = rest[inner..].chars().next().expect("a brace has an end");
                        inner += match c {
                            '`' => template(&rest[inner..]),
                            '"' | '\'' => literal(&rest[inner..], c),
                            c => c.len_utf8(),
                        };
                        depth += i32::from(c == '{') - i32::from(c == '}');
                    }
                    at += inner;
                }
                '\\' => at += 2,
                c => at += c.len_utf8(),
            }
        }
    }

    #[test]
    fn what_stands_in_the_page_is_the_same_program() {
        for script in SCRIPTS {
            let lean = lean(script);
            assert_eq!(tokens(&lean), tokens(script));
            assert!(lean.lines().all(|line| line == line.trim() && !line.starts_with("//")));
            // Lines end where they ended: that ends statements.
            let kept = script.lines().map(str::trim);
            let kept = kept.filter(|line| !line.is_empty() && !line.starts_with("//"));
            assert!(lean.lines().eq(kept));
        }
        assert_eq!(
            tokens("a = `x${b ? `}` : \"}\"} /` / /[/]\\//g; // c\n"),
            ["a", "=", "`x${b ? `}` : \"}\"} /`", "/", "/[/]\\//", "g", ";"]
        );
    }

    #[test]
    fn a_style_has_no_comments_of_its_kind() {
        assert!(!STYLE.contains("//") && !STYLE.contains("/*"));
    }
}
