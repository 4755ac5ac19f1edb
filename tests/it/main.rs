//! One test binary for all that needs a real database, a real daemon or a real CRM.

mod normalize;
