//! A proxy between the daemon and the CRM, which holds back what the daemon sends.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy on loopback. Ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Passes on to `target`. Each piece of a request waits for up to `longest`, drawn by `seed`; answers pass at once.
    pub(crate) async fn before(target: SocketAddr, longest: Duration, seed: u64) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                tokio::spawn(pass_on(client, target, longest, StdRng::seed_from_u64(seed + number)));
            }
        });
        Proxy { address, serving }
    }

    /// Where the daemon finds it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass_on(client: TcpStream, target: SocketAddr, longest: Duration, mut random: StdRng) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut piece = vec![0; 65_536];
    while let Ok(length @ 1..) = from_client.read(&mut piece).await {
        tokio::time::sleep(longest.mul_f64(random.random())).await;
        if to_server.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    drop(to_server);
    answers.abort();
}
