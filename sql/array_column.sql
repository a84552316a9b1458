-- One row for each series, its values in an array column (float8[], real[], numeric[], integer[]).
--
-- Made for:
--   CREATE TABLE machine.cycles (
--     series_id bigint PRIMARY KEY, switch_id text, started_at timestamptz, values float8[]);
--
-- A plain table needs no query: table = "machine.cycles" reads all of it. Use this to read a selection, or to rename
-- columns. Keep to conditions that give the same rows every time: a date, not now().
SELECT series_id, switch_id, started_at, values
FROM machine.cycles
WHERE started_at >= '2020-01-01'
