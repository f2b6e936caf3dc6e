-- all rows, rows without key or time among them
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END BETWEEN 1617235200000000 AND 1617321600123456 OR CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL);

-- newest row per key of a table, rows without key or time beside them
SELECT
  "driver_id",
  "city",
  "rate",
  "__event_time",
  "__created_time"
FROM (
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time",
  CASE WHEN banquet_source."driver_id" IS NULL OR banquet_source."city" IS NULL OR CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL THEN 1 ELSE ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", banquet_source."city" COLLATE BINARY ORDER BY CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END DESC NULLS LAST, CASE WHEN banquet_source."created" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."created", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."created", 1, 19) || ltrim(substr(banquet_source."created", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."created", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."created") AS INTEGER) * 1000000 END END DESC NULLS LAST) END AS "__banquet_rank"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END BETWEEN 1617235200000000 AND 1617321600123456 OR CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL)
) AS banquet_ranked
WHERE "__banquet_rank" = 1;

-- the same of naive times, by position where there is one, nulls dropped
SELECT
  "driver_id",
  "city",
  "rate",
  "__event_time",
  "__created_time"
FROM (
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time",
  ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", banquet_source."city" COLLATE BINARY ORDER BY CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END DESC NULLS LAST, CASE WHEN banquet_source."created" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."created", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."created", 1, 19) || ltrim(substr(banquet_source."created", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."created", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."created") AS INTEGER) * 1000000 END END DESC NULLS LAST, banquet_source.rowid) AS "__banquet_rank"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END BETWEEN 1617235200000000 AND 1617321600123456
  AND banquet_source."driver_id" IS NOT NULL
  AND banquet_source."city" IS NOT NULL
) AS banquet_ranked
WHERE "__banquet_rank" = 1;

-- newest rows, ties too, of a query, entityless, by date, renamed
SELECT
  "conv ""rate""",
  "select",
  "__event_time"
FROM (
SELECT
  banquet_source."rate" AS "conv ""rate""",
  banquet_source."x.y`z" AS "select",
  banquet_source."event_ts" AS "__event_time",
  CASE WHEN CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL THEN 1 ELSE RANK() OVER (ORDER BY CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END DESC NULLS LAST) END AS "__banquet_rank"
FROM (
SELECT * FROM events -- all of them;
) AS banquet_source
WHERE (CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END BETWEEN 1617235200000000 AND 1617321600123456 OR CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL)
) AS banquet_ranked
WHERE "__banquet_rank" = 1;

-- counts
SELECT
  COUNT(*) AS "row_count",
  COUNT(CASE WHEN CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL THEN 1 END) AS "null_time",
  COUNT(CASE WHEN CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NOT NULL AND (banquet_source."driver_id" IS NULL OR banquet_source."city" IS NULL) THEN 1 END) AS "null_key"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END BETWEEN 1617235200000000 AND 1617321600123456 OR CASE WHEN banquet_source."event_ts" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CASE WHEN substr(banquet_source."event_ts", 20, 1) = '.' THEN CAST(strftime('%s', substr(banquet_source."event_ts", 1, 19) || ltrim(substr(banquet_source."event_ts", 21), '0123456789')) AS INTEGER) * 1000000 + CAST(round(CAST(substr(banquet_source."event_ts", 20, 7) AS REAL) * 1000000) AS INTEGER) ELSE CAST(strftime('%s', banquet_source."event_ts") AS INTEGER) * 1000000 END END IS NULL);

-- unload
Unloading to a staging folder is not supported for SQLite;

-- last change
unknown;
