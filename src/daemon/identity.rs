//! Who this process is to other runs on the same machine, and which of those still live.

use crate::domain::ReplicaId;
use crate::store::replica::ReplicaIdentity;

/// The identity of this process.
pub(super) fn me() -> ReplicaIdentity {
    let process_id = std::process::id();
    ReplicaIdentity {
        replica_id: ReplicaId::new(),
        host_id: host_id(),
        process_id: i32::try_from(process_id).unwrap_or(0),
        process_started: started(process_id).unwrap_or_default(),
    }
}

/// Of these runs, the ones whose process is gone. Where that cannot be told, none: their leases lapse in time.
pub(super) fn gone(runs: Vec<(i32, String)>) -> Vec<(i32, String)> {
    runs.into_iter()
        .filter(|(process_id, process_started)| {
            !process_started.is_empty()
                && u32::try_from(*process_id).ok().and_then(started).as_deref() != Some(process_started.as_str())
        })
        .collect()
}

/// One boot of one machine, and the process namespace in it: in it a process number means the same to all.
fn host_id() -> String {
    let boot = crate::config::system_file("/proc/sys/kernel/random/boot_id");
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
    match (boot, namespace) {
        (Some(boot), Some(namespace)) => format!("{} {}", boot.trim(), namespace.display()),
        // No way to tell: nobody else is on this host.
        _ => ReplicaId::new().to_string(),
    }
}

/// When a process started, in the kernel's ticks: the 22nd field of its `stat`, after the name in parentheses.
fn started(process_id: u32) -> Option<String> {
    let stat = crate::config::system_file(&format!("/proc/{process_id}/stat"))?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_and_one_with_another_start_time_is_gone() {
        let me = me();
        let runs = vec![
            (me.process_id, me.process_started.clone()),
            (me.process_id, "1".into()),
            (i32::MAX, "1".into()),
        ];
        assert_eq!(
            gone(runs),
            vec![(me.process_id, "1".to_owned()), (i32::MAX, "1".to_owned())]
        );
    }
}
