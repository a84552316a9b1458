-- One row for each series, every value in a column of its own.
--
-- Made for:
--   CREATE TABLE machine.cycles_wide (
--     series_id bigint PRIMARY KEY, switch_id text,
--     v00 real, v01 real, v02 real, v03 real, v04 real, v05 real, v06 real, v07 real);
--
-- A plain table of this kind needs no query: table = "machine.cycles_wide" (NULLs at the end of a row are cut off then).
-- A NULL stays a missing value. Where NULLs only fill up what a short series leaves free, drop them:
-- array_remove(ARRAY[v00, ...], NULL). The columns of a wide table as a list to paste:
--   SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
--   WHERE attrelid = 'machine.cycles_wide'::regclass AND attname LIKE 'v%';
SELECT series_id, switch_id, ARRAY[v00, v01, v02, v03, v04, v05, v06, v07] AS values
FROM machine.cycles_wide
