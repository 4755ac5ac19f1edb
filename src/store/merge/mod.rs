//! Merge: plans of what a merge of duplicates would keep and lose, what people say of them, and what is carried out of them.

mod decide;
mod plans;
mod run;
mod undo;

pub use decide::{Pick, choose_for_plan, decide_plans, export_plans, groups_of_plans};
pub use plans::{count_groups, groups_to_plan, list_plans, put_plans, read_merge_master, retire_plans, show_plan};
pub use run::{
    Begun, End, ToBegin, ToSnapshot, approved_merges, begin_merges, count_approved, end_merges, merges_of_others,
    note_absorbed, read_merges, release_merges, take_merges,
};
pub use undo::{begin_undo, end_undo, give_up_undo, note_recreated, survivor_of};
