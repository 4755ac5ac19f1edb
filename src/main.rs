//! The command.

use std::process::ExitCode;

use gatekeeper::store::embedded::guard;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        // Hidden: the process that keeps the private PostgreSQL cluster (see `store::embedded`).
        Some(name) if name == guard::SUBCOMMAND => guard::main(args),
        _ => ExitCode::SUCCESS,
    }
}
