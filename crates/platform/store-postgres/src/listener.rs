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
use heddle_store::{Signals, Topic};
use tokio::sync::{Notify, oneshot};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{error::text, presence::Presence};

/// Told by a release that has changed the schema (see `migration`).
const SCHEMA: &str = "schema";
/// How long to leave the server alone after the connection broke.
pub(crate) const RECONNECT_WAIT: Duration = Duration::from_millis(500);

type Connected = (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

/// Whom the session serves beside the signals, and whether there is one. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ears {
    presence: Presence,
    schema: Arc<Notify>,
    open: Arc<AtomicBool>,
}

impl Ears {
    pub(crate) fn new(presence: Presence, schema: Arc<Notify>) -> Self {
        Self { presence, schema, open: Arc::default() }
    }

    /// Whether what this process and others announce gets through at this moment.
    pub(crate) fn are_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Listens and announces until it is aborted; comes back when the connection breaks. Says once when it listens.
pub(crate) async fn run(
    (config, tls, connect_wait): (Config, MakeRustlsConnect, Duration),
    signals: Signals,
    ears: Ears,
    listening: oneshot::Sender<()>,
) {
    let (mut listening, mut config) = (Some(listening), config);
    // As the server shows the session beside those of the pools.
    let name = format!("{} listener", config.get_application_name().unwrap_or("heddle"));
    config.application_name(name);
    loop {
        // The configuration's own limit is for the first step alone: not for TLS, nor for what the server says then.
        let error = match tokio::time::timeout(connect_wait, config.connect(tls.clone())).await {
            Ok(Ok(connected)) => {
                session(connected, &signals, &ears, &mut listening).await.err().as_ref().map(text)
            }
            Ok(Err(error)) => Some(text(&error)),
            Err(_) => Some("the server took too long to accept the connection".to_owned()),
        };
        ears.open.store(false, Ordering::Relaxed);
        ears.presence.interrupted();
        if let Some(error) = error {
            tracing::warn!(component = "store", action = "listen", %error, "processes do not wake each other");
        }
        tokio::time::sleep(RECONNECT_WAIT).await;
    }
}

async fn session(
    (client, mut connection): Connected,
    signals: &Signals,
    Ears { presence, schema, open }: &Ears,
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
                topic_of(told.payload()).into_iter().for_each(|topic| signals.heard(topic));
            }
        }
        Ok(())
    };
    let speak = async {
        // Losing an announcement is no loss of data.
        client.batch_execute("SET synchronous_commit = off; LISTEN heddle").await?;
        presence.hold(&client).await?;
        own.store(client.query_one("SELECT pg_backend_pid()", &[]).await?.get(0), Ordering::Relaxed);
        open.store(true, Ordering::Relaxed);
        // What others announced while nobody listened is not known, nor whether they have heard what was announced
        // here when the last session ended: all look at everything.
        for topic in Topic::ALL {
            signals.heard(topic);
            client.batch_execute(notification(topic)).await?;
        }
        schema.notify_one();
        if let Some(listening) = listening.take() {
            // It fails when whoever wanted to know has stopped waiting.
            listening.send(()).ok();
        }
        loop {
            tokio::select! {
                topic = signals.announced() => client.batch_execute(notification(topic)).await?,
                () = presence.wanted() => presence.hold(&client).await?,
            }
        }
    };
    tokio::select! {
        heard = hear => heard,
        spoken = speak => spoken,
    }
}

fn notification(topic: Topic) -> &'static str {
    match topic {
        Topic::Jobs => "NOTIFY heddle, 'jobs'",
        Topic::Events => "NOTIFY heddle, 'events'",
    }
}

/// What a notification tells; a later release may tell more.
fn topic_of(payload: &str) -> Option<Topic> {
    match payload {
        "jobs" => Some(Topic::Jobs),
        "events" => Some(Topic::Events),
        _ => None,
    }
}
