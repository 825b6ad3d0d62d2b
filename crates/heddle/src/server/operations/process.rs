//! What the operating system says of this process. Elsewhere than on Linux it says nothing.

use std::fs;

use heddle_clock::Timestamp;

/// Ticks of a processor's clock in a second, as Linux counts for all processes.
const TICKS: u64 = 100;

/// Measures memory, descriptors, threads and processor time.
#[expect(clippy::cast_precision_loss, reason = "they are shown to people")]
pub(super) fn measure(started: Timestamp) {
    metrics::gauge!("process_start_time_seconds").set(started.as_millis() as f64 / 1000.0);
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        for (field, name, unit) in [
            ("VmRSS:", "process_resident_memory_bytes", 1024),
            ("VmSize:", "process_virtual_memory_bytes", 1024),
            ("Threads:", "process_threads", 1),
        ] {
            if let Some(value) = number_behind(&status, field) {
                metrics::gauge!(name).set((value * unit) as f64);
            }
        }
    }
    if let Ok(limits) = fs::read_to_string("/proc/self/limits")
        && let Some(most) = number_behind(&limits, "Max open files")
    {
        metrics::gauge!("process_max_fds").set(most as f64);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // The one that reads the folder is open too.
        metrics::gauge!("process_open_fds").set(open.count().saturating_sub(1) as f64);
    }
    if let Some(ticks) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(ticks) {
        metrics::counter!("process_cpu_seconds_total").absolute(ticks / TICKS);
    }
}

fn number_behind(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Time in user and in kernel mode, from `/proc/self/stat`. The second field, the name, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(number_behind("Name:\tx\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(
            number_behind("Max open files            1024   4096  files\n", "Max open files"),
            Some(1024)
        );
        assert_eq!(number_behind("Max open files            unlimited\n", "Max open files"), None);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 12345 0 0";
        assert_eq!(ticks(stat), Some(300));
    }
}
