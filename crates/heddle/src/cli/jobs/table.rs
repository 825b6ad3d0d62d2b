//! Dead jobs as lines for a person.

use heddle_clock::Timestamp;
use serde_json::Value;

/// Longest error in a line of a list, in characters; `show` has all of it.
const ERROR_CHARS_MAX: usize = 60;
const HEADINGS: [&str; 7] = ["ID", "KIND", "OWNER", "HOST", "ATTEMPTS", "DIED", "ERROR"];

/// A list, with headings; one sentence when it is empty.
pub(super) fn list(answer: &Value) -> Vec<String> {
    let jobs = answer["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    if jobs.is_empty() {
        return vec!["no jobs are set aside".to_owned()];
    }
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(jobs.iter().map(row));
    let mut lines = aligned(&rows);
    if let Some(next) = answer["next"].as_str() {
        lines.push(format!("there may be more: --after {next}"));
    }
    lines
}

fn row(job: &Value) -> [String; 7] {
    let error = text(job, "error");
    let mut short: String =
        error.chars().take(ERROR_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if error.chars().nth(ERROR_CHARS_MAX).is_some() {
        short.push('…');
    }
    let attempts = job["attempts"].to_string();
    let [id, kind, owner, host, died] = ["id", "kind", "owner", "host", "diedAt"].map(|name| text(job, name));
    [id, kind, owner, host, attempts, died, short]
}

/// What a member holds, a time as a date; `-` when there is none.
fn text(job: &Value, name: &str) -> String {
    match (job[name].as_i64(), job[name].as_str()) {
        (Some(ms), _) => Timestamp::from_millis(ms).to_string(),
        (None, text) => text.unwrap_or("-").to_owned(),
    }
}

/// Columns as wide as what is in them; the last one as it is.
fn aligned(rows: &[[String; 7]]) -> Vec<String> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}  "));
        let mut line: String = cells.collect();
        line.push_str(&row[6]);
        line
    };
    rows.iter().map(line).collect()
}

/// One job, a line for each thing that is known of it.
pub(super) fn one(job: &Value) -> Vec<String> {
    let names = [
        ("id", "id"),
        ("kind", "kind"),
        ("owner", "owner"),
        ("order key", "orderKey"),
        ("host", "host"),
        ("enqueued", "createdAt"),
        ("died", "diedAt"),
        ("trace", "traceId"),
        ("error", "error"),
    ];
    let mut lines: Vec<String> =
        names.into_iter().map(|(label, name)| format!("{label:<10} {}", text(job, name))).collect();
    lines.insert(5, format!("{:<10} {}", "attempts", job["attempts"]));
    lines
}

/// How many were ended; a single one that is discarded is not counted.
pub(super) fn ended(count: Option<u64>, done: &str) -> String {
    match count {
        None => format!("the job is {done}"),
        Some(0) => format!("nothing was {done}: no such job is set aside (any more)"),
        Some(1) => format!("1 job was {done}"),
        Some(count) => format!("{count} jobs were {done}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_has_one_line_for_each_job_and_says_when_there_is_more() {
        let error = "no answer\n".repeat(20);
        let answer = json!({
            "jobs": [
                { "id": "1", "kind": "a", "owner": "i", "attempts": 20, "error": error },
                { "id": "22", "kind": "b.long", "owner": "p:alice", "host": "h", "attempts": 1, "error": "x",
                  "diedAt": 1_767_225_600_000_i64 },
            ],
            "next": "22",
        });
        let lines = list(&answer);
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("ID  KIND    OWNER"), "{}", lines[0]);
        assert!(lines[1].starts_with("1   a       i        -     20"), "{}", lines[1]);
        assert!(lines[1].ends_with('…') && !lines[1].contains('\n'), "{}", lines[1]);
        assert!(lines[2].contains("2026-01-01T00:00:00") && lines[2].ends_with("  x"), "{}", lines[2]);
        assert_eq!(lines[3], "there may be more: --after 22");
        assert_eq!(list(&json!({ "jobs": [] })), ["no jobs are set aside"]);
    }
}
