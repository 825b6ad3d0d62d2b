//! A way to a server on which nothing comes through any more, while both ends believe that the other is there.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Forwards until it is silenced.
pub struct Proxy {
    address: SocketAddr,
    silent: watch::Sender<bool>,
}

impl Proxy {
    /// In front of `server`.
    pub async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("free");
        let address = listener.local_addr().expect("bound");
        let (silent, silenced) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let (server, silenced) = (server.clone(), silenced.clone());
                tokio::spawn(async move {
                    let there = TcpStream::connect(server).await.expect("the server is there");
                    let (here, there) = (here.into_split(), there.into_split());
                    tokio::join!(
                        pass(here.0, there.1, silenced.clone()),
                        pass(there.0, here.1, silenced.clone())
                    );
                });
            }
        });
        Self { address, silent }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What was said and not heard yet is lost; connections that are made after [`Proxy::speak`] work.
    pub fn fall_silent(&self) {
        self.silent.send_replace(true);
    }

    pub fn speak(&self) {
        self.silent.send_replace(false);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    silenced: watch::Receiver<bool>,
) {
    let mut lost = *silenced.borrow();
    let mut bytes = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        lost |= *silenced.borrow();
        if !lost && to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
