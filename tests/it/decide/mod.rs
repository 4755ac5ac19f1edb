//! The pure decision over thousands of histories: what no database test could go through.

mod histories;
mod person;
