//! The table of settings as the guide shows it.

use std::fmt::Write as _;

use super::all;

/// Where the table begins and ends in `docs/guides/configuration.md`.
const BEGIN: &str = "<!-- settings: begin -->\n";
const END: &str = "<!-- settings: end -->";

/// Every setting as a table of Markdown.
fn table() -> String {
    let mut text = String::from("| Setting | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for setting in all() {
        let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
        let row = format!("| `{}` | {} | {default} | {} |", setting.key, setting.limits(), setting.meaning);
        writeln!(text, "{row}").expect("a String takes everything");
    }
    text
}

#[test]
fn the_guide_holds_the_table_of_settings() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/configuration.md");
    let guide = std::fs::read_to_string(path).expect("the guide is there");
    let (before, rest) = guide.split_once(BEGIN).expect("the table begins");
    let (found, after) = rest.split_once(END).expect("the table ends");
    let expected = table();
    // Beside the guide's other output, so that nobody has to write the table by hand.
    let made = std::env::temp_dir().join("heddle-configuration.md");
    if found != expected {
        std::fs::write(&made, format!("{before}{BEGIN}{expected}{END}{after}")).expect("written");
    }
    assert!(found == expected, "the table of settings has changed; copy {} to {path}", made.display());
}
