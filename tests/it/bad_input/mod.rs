//! Bad input of every kind: settings, database, CRM, leads. In every case a clear message with what to do, no panic, no lost
//! lead, and the other leads go on.

mod crm;
mod database;
mod garbage;
mod leads;
mod settings;
mod sizes;
