//! The command: arguments in, exit code out, nothing else.

use std::process::ExitCode;

use clap::Parser;
use gatekeeper::cli::{Arguments, carry_out, code};
use gatekeeper::store::embedded::guard;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    // Hidden: the process that keeps the private PostgreSQL cluster (see `store::embedded`).
    if args.next().is_some_and(|name| name == guard::SUBCOMMAND) {
        return guard::main(args);
    }
    // A panic's own words may hold a value of a contact.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        eprintln!("gatekeeper: a panic at {place}; this is a bug, please report it");
    }));
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("gatekeeper: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(carry_out(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatekeeper: {}", gatekeeper::fault::chain(&error));
            code(&error)
        }
    }
}
