//! An echo server ("peer echo") and a relay ("peer relay TARGET") on Tokio. Each
//! prints its address and ends with its standard input.

use std::io::Read;

use tokio::io::{copy_bidirectional, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buf = vec![0; 64 << 10];
    loop {
        let n = stream.read(&mut buf).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buf[..n]).await?;
    }
}

async fn relay(mut stream: TcpStream, target: String) -> std::io::Result<()> {
    let mut other = TcpStream::connect(target).await?;
    other.set_nodelay(true)?;
    copy_bidirectional(&mut stream, &mut other).await?;
    Ok(())
}

async fn serve(target: Option<String>) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let target = target.clone();
        tokio::spawn(async move {
            let _ = match target {
                Some(target) => relay(stream, target).await,
                None => echo(stream).await,
            };
        });
    }
}

fn main() -> std::io::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build()?;
    runtime.block_on(serve(std::env::args().nth(2)))
}
