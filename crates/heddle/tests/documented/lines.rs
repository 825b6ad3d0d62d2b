//! Reads what documents tell people to type.

/// A line of a shell block.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Arguments of the program.
    Heddle(Vec<String>),
    /// A command that only `./dev` has.
    Dev(String),
    /// A block that uses pipes or variables.
    Script(String),
    /// Anything else.
    Unknown(String),
}

/// The lines of all `sh` blocks, without comments. A block that is more than commands one by one is one script.
pub fn shell_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in text.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            match block.take() {
                Some(codes) => lines.extend(parse_block(&codes)),
                None => block = Some(Vec::new()).filter(|_| SHELLS.contains(&language)),
            }
            continue;
        }
        let code =
            if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() };
        if let Some(codes) = block.as_mut().filter(|_| !code.is_empty()) {
            codes.push(code);
        }
    }
    lines
}

/// How a block says that it is for a shell.
const SHELLS: [&str; 4] = ["sh", "bash", "shell", "console"];
/// Programs that a script may use: those that every machine with a shell has, and ours.
const PROGRAMS: [&str; 7] = ["./dev", "heddle", "grep", "sed", "sort", "uniq", "head"];

fn parse_block(codes: &[&str]) -> Vec<Line> {
    let lines: Vec<Line> = codes.iter().map(|code| parse(code)).collect();
    let all_known = codes.iter().flat_map(|code| programs(code)).all(|name| PROGRAMS.contains(&name));
    let is_script = lines.iter().any(|line| matches!(line, Line::Unknown(_))) && all_known;
    if is_script { vec![Line::Script(codes.join("\n"))] } else { lines }
}

/// The programs of a pipeline, and of the command whose output a variable keeps.
fn programs(code: &str) -> impl Iterator<Item = &str> {
    let code = code.split_once("=$(").map_or(code, |(_, inner)| inner);
    code.split(" | ").filter_map(|part| part.trim_end_matches(')').split_whitespace().next())
}

fn parse(code: &str) -> Line {
    // The stage keeps the log of a server in that very file.
    let code = code.strip_suffix(" 2> heddle.log").unwrap_or(code);
    let words: Vec<&str> = code.split_whitespace().collect();
    let plain = !code.contains(['|', '&', ';', '>', '<', '$', '`', '"', '\'', '\\']);
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
    match words.as_slice() {
        ["./dev", "demo", rest @ ..] if plain => Line::Heddle(owned(&[&["demo"], rest].concat())),
        ["./dev", "up", rest @ ..] if plain => Line::Heddle(owned(&[&["start-dev"], rest].concat())),
        ["heddle", rest @ ..] if plain => Line::Heddle(owned(rest)),
        ["./dev", command, ..] if plain => Line::Dev((*command).to_owned()),
        _ => Line::Unknown(code.to_owned()),
    }
}

/// Commands of `./dev` that a text mentions, in blocks and between backticks.
pub fn mentioned(text: &str) -> Vec<String> {
    let words = text.split("./dev ").skip(1);
    let command = |rest: &str| rest.chars().take_while(char::is_ascii_lowercase).collect::<String>();
    words.map(command).filter(|command| !command.is_empty()).collect()
}

/// Whether `./dev help` shows the command, and `./dev` does something for it.
pub fn knows(dev: &str, command: &str) -> bool {
    let usage = dev.split("cat <<'TEXT'\n").nth(1).and_then(|rest| rest.split("\nTEXT\n").next());
    let shown = usage.unwrap_or_default().lines().any(|line| {
        line.strip_prefix("  ").is_some_and(|line| line.split_whitespace().next() == Some(command))
    });
    let done = dev.rsplit("case \"$command\" in\n").next().unwrap_or_default().lines();
    shown && done.map(str::trim_start).any(|line| line.starts_with(&format!("{command})")))
}

#[test]
fn blocks_are_read_line_by_line() {
    let text = "./dev no\n```sh\n# first\n./dev demo   # it plays\n./dev up --port 1\nheddle status\n./dev test\nmake\n```\n\
                ```json\n./dev no\n```\n```sh\n./dev demo | tee\n```\n\
                ```sh\na=$(heddle status | head)\ngrep \"$a\" f\n```\n";
    let heddle = |words: &[&str]| Line::Heddle(words.iter().map(|&word| word.to_owned()).collect());
    let expected = [
        heddle(&["demo"]),
        heddle(&["start-dev", "--port", "1"]),
        heddle(&["status"]),
        Line::Dev("test".to_owned()),
        Line::Unknown("make".to_owned()),
        Line::Unknown("./dev demo | tee".to_owned()),
        Line::Script("a=$(heddle status | head)\ngrep \"$a\" f".to_owned()),
    ];
    assert_eq!(shell_lines(text), expected);
    assert_eq!(mentioned("`./dev test` and ./dev check; ./dev alone"), ["test", "check", "alone"]);
}
