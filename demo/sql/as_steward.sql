-- A steward's rights, until the end of the transaction: rules may be edited, all else only be read.
set local role gatekeeper_steward;
