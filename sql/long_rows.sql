-- One row for each value: the server puts every series together, in the order of idx.
--
-- Made for:
--   CREATE TABLE machine.samples (series_id bigint, idx integer, value float8, PRIMARY KEY (series_id, idx));
--
-- A plain table of this kind needs no query: table = "machine.samples". Use this to read a selection, or to do more.
-- The index on (series_id, idx) matters: with it, a range of series is read in order and nothing is sorted.
-- A time in place of idx does as well, with an index on (series_id, time). Columns that describe a series come in by a
-- join as in joined_machines.sql. Keep series_id and the GROUP BY as they are: ranges of series_id are cut out of it.
SELECT series_id, array_agg(value) AS values
FROM (SELECT series_id, value FROM machine.samples ORDER BY series_id, idx) AS ordered
GROUP BY series_id
