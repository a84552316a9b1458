-- An array column, with what a second table knows about the machine: columns to compare within and to filter by.
--
-- Made for:
--   CREATE TABLE machine.cycles (
--     series_id bigint PRIMARY KEY, switch_id text, started_at timestamptz, values float8[]);
--   CREATE TABLE machine.switches (switch_id text PRIMARY KEY, model text, station text, installed_on date);
--
-- LEFT JOIN keeps the series of a machine the second table does not know. Each series must come out once: switch_id has
-- to be unique in machine.switches. Take series_id from the table of the series, so that its index is used.
SELECT c.series_id, c.switch_id, c.started_at, s.model, s.station, s.installed_on, c.values
FROM machine.cycles AS c
LEFT JOIN machine.switches AS s ON s.switch_id = c.switch_id
