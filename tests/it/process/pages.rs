//! The metrics' page of each daemon, kept beside its log all the while it runs: whoever looks for what may be in no log finds
//! it there as well.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Looks at a page until it is dropped.
pub(super) struct Pages {
    looking: JoinHandle<()>,
}

impl Pages {
    /// Keeps the newest page in `file`: counters only grow, so that the newest has every label that there was.
    pub(super) fn of(address: SocketAddr, file: PathBuf) -> Pages {
        let looking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(300)).await;
                // A frozen process answers nothing, and one that ended is not there.
                let page = tokio::time::timeout(Duration::from_secs(2), scrape(address)).await;
                if let Ok(Ok(page)) = page {
                    std::fs::write(&file, page).unwrap();
                }
            }
        });
        Pages { looking }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

/// Where the daemon of this number serves its metrics: a loopback address of its own, which nobody else can have taken.
pub(super) fn address(number: u32) -> SocketAddr {
    let [.., high, low] = number.to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(127, 91, high, low), 9464))
}

/// The page, by hand: one request, one answer.
pub(super) async fn scrape(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
