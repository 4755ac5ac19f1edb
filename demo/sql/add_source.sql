-- One source of sources.toml: its name, what its word is worth, and what it is.
insert into rules.source (source, rank, description)
values ($1, $2, $3);
