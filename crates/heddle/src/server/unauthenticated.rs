//! How the server's own endpoints say that nobody is authenticated.

use std::time::Duration;

use heddle_auth::Unauthenticated;
use heddle_web::{Kind, Rejection};

/// When to try again after a refusal that may have passed.
const WAIT: Duration = Duration::from_secs(2);

/// 401, or 503 where the same token may be accepted a moment later.
pub fn refusal(error: &Unauthenticated) -> Rejection {
    if error.is_temporary() {
        return Rejection::unavailable(error.to_string(), WAIT);
    }
    Rejection::new(Kind::Unauthorized, error.to_string())
}
