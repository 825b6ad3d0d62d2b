//! Its keys are replaced while requests come all the time.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use heddle_e2e::keycloak::Keycloak;
use serde_json::Value;
use tokio::sync::Notify;

use crate::keycloak::{Doors, OPERATOR};

/// Requests under each new key, after which the next one comes.
const REQUESTS: u32 = 5;
const ROTATIONS: u32 = 3;

fn kid(token: &str) -> String {
    let header = BASE64.decode(token.split('.').next().expect("a header")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

/// Two who ask all the time, each time with a new token and with the first one, and one who replaces the keys.
pub async fn fails_no_request(doors: &Doors<'_>, keycloak: &Keycloak) {
    let first = keycloak.token(OPERATOR, "writer").await;
    let (under_new, done) = (AtomicU32::new(0), AtomicBool::new(false));
    let came = Notify::new();
    let known = std::sync::Mutex::new(kid(&first));
    let load = async || {
        while !done.load(Ordering::SeqCst) {
            let token = keycloak.token(OPERATOR, "writer").await;
            for token in [&token, &first] {
                let answer = doors.look("acme", token).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            if kid(&token) != *known.lock().expect("unpoisoned") {
                under_new.fetch_add(1, Ordering::SeqCst);
                came.notify_one();
            }
        }
    };
    let rotate = async {
        for rotation in 0..ROTATIONS {
            keycloak.rotate(OPERATOR, &format!("key {rotation}"), 200 + rotation).await;
            while under_new.load(Ordering::SeqCst) < REQUESTS {
                came.notified().await;
            }
            *known.lock().expect("unpoisoned") = kid(&keycloak.token(OPERATOR, "writer").await);
            under_new.store(0, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(rotate, load(), load());
}
