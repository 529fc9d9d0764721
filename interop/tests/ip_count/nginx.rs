//! A web server of its own: nginx in one process, with its files in a temporary directory.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use interop::Session;

/// Its access log, in the folder.
pub(crate) const LOG: &str = "access.log";

/// Between two looks at whether it serves yet, and how many of them there are.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 1_500;

#[derive(Debug)]
pub(crate) struct Nginx {
    session: Session,
    address: SocketAddr,
    folder: PathBuf,
    /// How often its log was rotated.
    rotations: usize,
}

impl Nginx {
    /// Starts it, and waits until it serves.
    pub(crate) fn start(folder: &Path) -> Nginx {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(folder, address)).unwrap();
        let mut command = Command::new(program());
        command.arg("-p").arg(folder).arg("-c").arg(file);
        // Before it has read where its errors go.
        command.arg("-e").arg(folder.join("error.log"));
        // The recount takes the times in the log as they are.
        command.env("TZ", "UTC");
        let mut session = Session::start(command).unwrap();
        let mut looks = 0;
        while TcpStream::connect(address).is_err() {
            let errors = || fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(session.still_runs(), "nginx ended: {}", errors());
            assert!(looks < LOOKS_MAX, "nginx does not serve: {}", errors());
            looks += 1;
            thread::sleep(LOOK_EVERY);
        }
        Nginx {
            session,
            address,
            folder: folder.to_owned(),
            rotations: 0,
        }
    }

    /// Rotates its log as logrotate does: the files get other names, and nginx is told to begin a
    /// new one. Meanwhile it writes to the renamed one.
    pub(crate) fn rotate(&mut self) {
        for number in (0..=self.rotations).rev() {
            fs::rename(self.log(number), self.log(number + 1)).unwrap();
        }
        self.rotations += 1;
        let process = fs::read_to_string(self.folder.join("nginx.pid")).unwrap();
        let mut signal = Command::new("kill");
        signal.args(["-USR1", process.trim()]);
        assert!(signal.status().unwrap().success());
        for _ in 0..LOOKS_MAX {
            if self.log(0).exists() {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
        panic!("nginx begins no new file");
    }

    /// Its log, or what it was so many rotations ago.
    fn log(&self, rotations: usize) -> PathBuf {
        self.folder.join(match rotations {
            0 => LOG.to_owned(),
            more => format!("{LOG}.{more}"),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it. Returns what is in its log, which has each request that was answered.
    pub(crate) fn terminate(self) -> String {
        let files = (0..=self.rotations).rev().map(|number| self.log(number));
        let files: Vec<PathBuf> = files.collect();
        self.session.terminate().unwrap();
        self.session.finish().unwrap();
        let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
        texts.collect()
    }
}

/// Debian's nginx is where only root looks for programs.
fn program() -> &'static str {
    let programs = ["nginx", "/usr/sbin/nginx"];
    let found = |name: &&&str| Command::new(name).arg("-v").output().is_ok();
    programs.iter().find(found).expect(
        "nginx is not installed. Run `interop/install`, or install the package `nginx-light`.",
    )
}

/// One process, so that no worker is left behind. Clients' addresses come from a header, as
/// behind a proxy; a log in the format `combined` has them in front.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log {folder}/{LOG} combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    keepalive_requests 1000000000;
    server {{
        listen {address};
        location / {{ return 204; }}
    }}
}}
"
    )
}
