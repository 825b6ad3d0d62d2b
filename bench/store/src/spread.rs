//! Figures as lines: the median, the extremes, all runs.

use std::time::Duration;

/// The median of figures.
pub fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The smallest figure that at least `part` of them do not exceed.
pub fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into figures for people"
    )]
    let at = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Prints the figures of all runs.
#[expect(clippy::print_stdout, reason = "it is what the program is for")]
pub fn print(what: &str, unit: &str, runs: &[f64]) {
    let all: Vec<String> = runs.iter().map(|figure| written(*figure)).collect();
    let (least, most) = (quantile(runs, 0.0), quantile(runs, 1.0));
    println!(
        "{what}: median {} {unit}, from {} to {}, of {}",
        written(median(runs)),
        written(least),
        written(most),
        all.join(" ")
    );
}

fn written(figure: f64) -> String {
    if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
