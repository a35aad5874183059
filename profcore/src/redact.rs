//! Secrets in command lines: values of arguments named like one are not written into a trace.

/// What stands in place of a secret.
const HIDDEN: &[u8] = b"***";
/// Words that make a name a secret's name.
const WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "credential",
    "authorization",
    "cookie",
];
/// The same, of words that are parts of many others (monkey, passive): they must stand by themselves.
const PARTS: [&str; 6] = ["key", "keys", "pass", "pwd", "auth", "signature"];
/// Longest argument that is kept, and most arguments.
const MAX_ARGUMENT: usize = 4096;
const MAX_ARGUMENTS: usize = 256;

/// A command line without secrets, cut to a sane size.
///
/// Hidden are the values of `--name=VALUE`, `--name VALUE`, `NAME=VALUE` and `Name: VALUE` when the name looks like a
/// secret's; and in addresses, the user part (`https://user:pass@host`) and what is asked by such names
/// (`?token=VALUE`).
pub(crate) fn redact(arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut hide_next = false;
    for argument in arguments.iter().take(MAX_ARGUMENTS) {
        let argument = &argument[..argument.len().min(MAX_ARGUMENT)];
        if std::mem::take(&mut hide_next) && !argument.starts_with(b"-") {
            kept.push(HIDDEN.to_vec());
            continue;
        }
        // What is behind a colon or a question mark belongs to a header or an address.
        let equals = argument.iter().position(|&b| b"=:?".contains(&b));
        let equals = equals.filter(|&at| argument[at] == b'=');
        let name = &argument[..equals.unwrap_or(argument.len())];
        match equals {
            Some(at) if is_secret(name) => {
                kept.push([&argument[..=at], HIDDEN].concat());
            }
            Some(at) => kept.push([&argument[..=at], &value(&argument[at + 1..])].concat()),
            None => {
                hide_next = name.starts_with(b"-") && is_secret(name);
                kept.push(value(argument));
            }
        }
    }
    if arguments.len() > MAX_ARGUMENTS {
        kept.push(b"...".to_vec());
    }
    kept
}

/// The program alone: its name, and of a module that it runs, the module's.
pub(crate) fn program_only(arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let words = if arguments.first().is_some_and(|first| first == b"-m") { 2 } else { 1 };
    redact(&arguments[..words.min(arguments.len())])
}

/// What is no option, or its value: a header of HTTP, an address, or anything else.
fn value(words: &[u8]) -> Vec<u8> {
    match words.iter().position(|&b| b == b':') {
        Some(colon) if is_secret(&words[..colon]) => {
            let space = usize::from(words.get(colon + 1) == Some(&b' '));
            [&words[..=colon + space], HIDDEN].concat()
        }
        _ => without_query(&without_user(words)),
    }
}

/// True for a name such as `--db-password`, `API_KEY` or `token`.
fn is_secret(name: &[u8]) -> bool {
    if name.len() > 64 {
        return false;
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    if name.contains(|c: char| c.is_whitespace()) {
        return false;
    }
    let flat: String = name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect();
    let has_part = name.split(['-', '_', '.']).any(|part| PARTS.contains(&part));
    has_part || WORDS.iter().any(|word| flat.contains(word))
}

/// `scheme://user:pass@host/…` with the user part hidden.
fn without_user(argument: &[u8]) -> Vec<u8> {
    let Some(scheme) = argument.windows(3).position(|w| w == b"://") else {
        return argument.to_vec();
    };
    let start = scheme + 3;
    let rest = &argument[start..];
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?' | b'#') || b.is_ascii_whitespace())
        .unwrap_or(rest.len());
    match rest[..end].iter().rposition(|&b| b == b'@') {
        Some(at) => [&argument[..start], HIDDEN, &rest[at..]].concat(),
        None => argument.to_vec(),
    }
}

/// `scheme://host/path?name=VALUE&…` with the values of secrets hidden.
fn without_query(argument: &[u8]) -> Vec<u8> {
    let has_scheme = argument.windows(3).any(|w| w == b"://");
    let Some(query) = argument.iter().position(|&b| b == b'?').filter(|_| has_scheme) else {
        return argument.to_vec();
    };
    let mut kept = argument[..=query].to_vec();
    for part in argument[query + 1..].split_inclusive(|b| b"&;#".contains(b)) {
        match part.iter().position(|&b| b == b'=') {
            Some(at) if is_secret(&part[..at]) => {
                kept.extend_from_slice(&part[..=at]);
                kept.extend_from_slice(HIDDEN);
                kept.extend(part.last().filter(|b| b"&;#".contains(b)));
            }
            _ => kept.extend_from_slice(part),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[&str]) -> String {
        let arguments: Vec<_> = arguments.iter().map(|a| a.as_bytes().to_vec()).collect();
        let kept: Vec<_> =
            redact(&arguments).iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
        kept.join(" ")
    }

    #[test]
    fn values_of_secrets_are_hidden() {
        assert_eq!(line(&["app", "--password=x", "y"]), "app --password=*** y");
        assert_eq!(line(&["app", "--api-key", "x", "y"]), "app --api-key *** y");
        assert_eq!(line(&["app", "--token", "-v", "y"]), "app --token -v y");
        assert_eq!(line(&["env", "DB_PASSWD=x", "app"]), "env DB_PASSWD=*** app");
        assert_eq!(line(&["app", "-client.secret=x"]), "app -client.secret=***");
        assert_eq!(line(&["get", "https://me:pw@host/p?q"]), "get https://***@host/p?q");
    }

    #[test]
    fn values_of_headers_and_addresses_are_hidden() {
        assert_eq!(line(&["get", "-H", "Authorization: Bearer x"]), "get -H Authorization: ***");
        assert_eq!(line(&["get", "--header=X-Api-Key:x"]), "get --header=X-Api-Key:***");
        assert_eq!(
            line(&["get", "https://h/p?a=1&access_token=x&key=y#token=z"]),
            "get https://h/p?a=1&access_token=***&key=***#token=***"
        );
        assert_eq!(line(&["app", "--url=db://me:pw@h"]), "app --url=db://***@h");
        assert_eq!(line(&["app", "key=x", "MYSQL_PWD=x"]), "app key=*** MYSQL_PWD=***");
        assert_eq!(line(&["app", "--token", "\u{1b}]52;c;x"]), "app --token ***");
    }

    #[test]
    fn of_the_program_alone_nothing_else_is_kept() {
        let words =
            |words: &[&str]| words.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(program_only(&words(&["app", "--name", "x"])), words(&["app"]));
        assert_eq!(program_only(&words(&["-m", "pkg", "x"])), words(&["-m", "pkg"]));
        assert_eq!(program_only(&[]), words(&[]));
    }

    #[test]
    fn other_arguments_are_kept() {
        let plain = [
            "app",
            "--keyboard=us",
            "--monkey",
            "x",
            "a=b",
            "http://host/a@b?c=d&e",
            "token",
            "next",
            "host:80",
            "--passive",
            "author=me",
            "10:30?x=y",
        ];
        assert_eq!(line(&plain), plain.join(" "));
        assert_eq!(line(&["python3", "-c", "key = 1; x=2"]), "python3 -c key = 1; x=2");
    }

    #[test]
    fn long_lines_are_cut() {
        let many = vec![vec![b'a'; 10_000]; 1000];
        let kept = redact(&many);
        assert_eq!((kept.len(), kept[0].len()), (MAX_ARGUMENTS + 1, MAX_ARGUMENT));
    }
}
