-- One row for each series, its values in a json or jsonb array of numbers: [0.0, 3.1, null, 2.9].
--
-- Made for:
--   CREATE TABLE machine.cycles_json (series_id bigint PRIMARY KEY, switch_id text, samples jsonb);
--
-- A plain table of this kind needs no query: table = "machine.cycles_json". Use this to read a selection or a part of a
-- document: for an array inside an object write (samples -> 'current')::text. A json null becomes a missing value.
-- A row that holds something else than an array of numbers stops the reading with an error: leave it out with
-- WHERE jsonb_typeof(samples) = 'array'.
SELECT series_id, switch_id, translate(samples::text, '[]', '{}')::float8[] AS values
FROM machine.cycles_json
