-- The house without what only a sandbox has.

drop schema sandbox cascade;

drop policy sandbox_begins on core.civil_offset;

drop policy sandbox_moves on core.civil_offset;

revoke insert (one, moved), update (moved) on core.civil_offset from {role}_gate;
