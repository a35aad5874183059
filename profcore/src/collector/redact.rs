//! Secrets in command lines: values of arguments named like one are not written into a trace.

/// What stands in place of a secret.
const HIDDEN: &[u8] = b"***";
/// Words that make a name a secret's name.
const WORDS: [&str; 7] =
    ["password", "passwd", "passphrase", "token", "secret", "apikey", "credential"];
/// Longest argument that is kept, and most arguments.
const MAX_ARGUMENT: usize = 4096;
const MAX_ARGUMENTS: usize = 256;

/// A command line without secrets, cut to a sane size.
///
/// Hidden are the values of `--name=VALUE`, `--name VALUE` and `NAME=VALUE` when the name looks like a
/// secret's, and the user part of addresses (`https://user:pass@host`).
pub fn redact(arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut hide_next = false;
    for argument in arguments.iter().take(MAX_ARGUMENTS) {
        let argument = &argument[..argument.len().min(MAX_ARGUMENT)];
        if std::mem::take(&mut hide_next) && !argument.starts_with(b"-") {
            kept.push(HIDDEN.to_vec());
            continue;
        }
        let equals = argument.iter().position(|&b| b == b'=');
        let name = &argument[..equals.unwrap_or(argument.len())];
        match equals {
            Some(at) if is_secret(name) => {
                kept.push([&argument[..=at], HIDDEN].concat());
            }
            _ => {
                hide_next = equals.is_none() && name.starts_with(b"-") && is_secret(name);
                kept.push(without_user(argument));
            }
        }
    }
    if arguments.len() > MAX_ARGUMENTS {
        kept.push(b"...".to_vec());
    }
    kept
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
    // "key" alone is a word of many names (monkey, keyboard): it must stand by itself.
    let has_key = name.split(['-', '_', '.']).any(|part| part == "key" || part == "keys");
    has_key || WORDS.iter().any(|word| flat.contains(word))
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
    fn other_arguments_are_kept() {
        let plain =
            ["app", "--keyboard=us", "--monkey", "x", "a=b", "http://host/a@b", "token", "next"];
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
