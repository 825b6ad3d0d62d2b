//! One connection on which processes wake each other, and which shows that a process is alive. It has to be a session
//! of its own: a pooler in between must be in session mode, or the notifications and the locks are lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Duration,
};

use futures::stream::{self, StreamExt};
use heddle_store::Signals;
use tokio::sync::{Notify, oneshot};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{error::text, presence::Presence};

/// Payloads on the channel `heddle`.
const JOBS: &str = "jobs";
const EVENTS: &str = "events";
/// Told by a release that has changed the schema (see `migration`).
const SCHEMA: &str = "schema";
/// How long to leave the server alone after the connection broke.
pub(crate) const RECONNECT_WAIT: Duration = Duration::from_millis(500);

type Connected = (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// What this process has to tell the others. Cheap to clone; many tellings become one notification.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announcements {
    jobs: Arc<Notify>,
    events: Arc<Notify>,
    /// Whether this process listens at this moment.
    heard: Arc<AtomicBool>,
}

impl Announcements {
    pub(crate) fn jobs(&self) {
        self.jobs.notify_one();
    }

    pub(crate) fn events(&self) {
        self.events.notify_one();
    }

    /// Whether what this process and others announce gets through at this moment.
    pub(crate) fn are_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }
}

/// Listens and announces until it is aborted; comes back when the connection breaks. Says once when it listens.
pub(crate) async fn run(
    (config, tls, connect_wait): (Config, MakeRustlsConnect, Duration),
    signals: Signals,
    own: (Announcements, Presence, Arc<Notify>),
    listening: oneshot::Sender<()>,
) {
    let mut listening = Some(listening);
    loop {
        // The configuration's own limit is for the first step alone: not for TLS, nor for what the server says then.
        let error = match tokio::time::timeout(connect_wait, config.connect(tls.clone())).await {
            Ok(Ok(connected)) => {
                session(connected, &signals, &own, &mut listening).await.err().as_ref().map(text)
            }
            Ok(Err(error)) => Some(text(&error)),
            Err(_) => Some("the server took too long to accept the connection".to_owned()),
        };
        own.0.heard.store(false, Ordering::Relaxed);
        own.1.interrupted();
        if let Some(error) = error {
            tracing::warn!(component = "store", action = "listen", %error, "processes do not wake each other");
        }
        tokio::time::sleep(RECONNECT_WAIT).await;
    }
}

async fn session(
    (client, mut connection): Connected,
    signals: &Signals,
    (announcements, presence, schema): &(Announcements, Presence, Arc<Notify>),
    listening: &mut Option<oneshot::Sender<()>>,
) -> Result<(), Error> {
    let own = AtomicI32::new(0);
    let hear = async {
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        while let Some(message) = messages.next().await {
            if let AsyncMessage::Notification(told) = message?
                && told.process_id() != own.load(Ordering::Relaxed)
            {
                if told.payload() == SCHEMA {
                    schema.notify_one();
                }
                wake(signals, told.payload());
            }
        }
        Ok(())
    };
    let speak = async {
        // Losing an announcement is no loss of data.
        client.batch_execute("SET synchronous_commit = off; LISTEN heddle").await?;
        presence.hold(&client).await?;
        own.store(client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0), Ordering::Relaxed);
        announcements.heard.store(true, Ordering::Relaxed);
        // What was announced while nobody listened is not known: look at everything.
        wake(signals, JOBS);
        wake(signals, EVENTS);
        schema.notify_one();
        if let Some(listening) = listening.take() {
            // It fails when whoever wanted to know has stopped waiting.
            listening.send(()).ok();
        }
        loop {
            tokio::select! {
                () = announcements.jobs.notified() => client.batch_execute("NOTIFY heddle, 'jobs'").await?,
                () = announcements.events.notified() => client.batch_execute("NOTIFY heddle, 'events'").await?,
                () = presence.wanted() => presence.hold(&client).await?,
            }
        }
    };
    tokio::select! {
        heard = hear => heard,
        spoken = speak => spoken,
    }
}

fn wake(signals: &Signals, payload: &str) {
    match payload {
        JOBS => signals.notify_jobs(),
        EVENTS => signals.notify_events(),
        _ => {}
    }
}
