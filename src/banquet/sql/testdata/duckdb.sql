-- session
SET TimeZone = 'UTC';

-- all rows, rows without key or time among them
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN TIMESTAMPTZ '2021-04-01 00:00:00.000000+00:00' AND TIMESTAMPTZ '2021-04-02 00:00:00.123456+00:00' OR banquet_source."event_ts" IS NULL);

-- newest row per key of a table, rows without key or time beside them
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN TIMESTAMPTZ '2021-04-01 00:00:00.000000+00:00' AND TIMESTAMPTZ '2021-04-02 00:00:00.123456+00:00' OR banquet_source."event_ts" IS NULL)
QUALIFY ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", CAST(banquet_source."city" AS VARCHAR) COLLATE "C" ORDER BY banquet_source."event_ts" DESC NULLS LAST, banquet_source."created" DESC NULLS LAST) = 1
  OR banquet_source."driver_id" IS NULL
  OR banquet_source."city" IS NULL
  OR banquet_source."event_ts" IS NULL;

-- the same of naive times, by position where there is one, nulls dropped
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE banquet_source."event_ts" BETWEEN TIMESTAMP '2021-04-01 00:00:00.000000' AND TIMESTAMP '2021-04-02 00:00:00.123456'
  AND banquet_source."driver_id" IS NOT NULL
  AND banquet_source."city" IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", CAST(banquet_source."city" AS VARCHAR) COLLATE "C" ORDER BY banquet_source."event_ts" DESC NULLS LAST, banquet_source."created" DESC NULLS LAST, banquet_source.rowid) = 1;

-- newest rows, ties too, of a query, entityless, by date, renamed
SELECT
  banquet_source."rate" AS "conv ""rate""",
  banquet_source."x.y`z" AS "select",
  banquet_source."event_ts" AS "__event_time"
FROM (
SELECT * FROM events -- all of them;
) AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN DATE '2021-04-01' AND DATE '2021-04-02' OR banquet_source."event_ts" IS NULL)
QUALIFY RANK() OVER (ORDER BY banquet_source."event_ts" DESC NULLS LAST) = 1
  OR banquet_source."event_ts" IS NULL;

-- counts
SELECT
  COUNT(*) AS "row_count",
  COUNT(CASE WHEN banquet_source."event_ts" IS NULL THEN 1 END) AS "null_time",
  COUNT(CASE WHEN banquet_source."event_ts" IS NOT NULL AND (banquet_source."driver_id" IS NULL OR banquet_source."city" IS NULL) THEN 1 END) AS "null_key"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN TIMESTAMPTZ '2021-04-01 00:00:00.000000+00:00' AND TIMESTAMPTZ '2021-04-02 00:00:00.123456+00:00' OR banquet_source."event_ts" IS NULL);

-- unload
Unloading to a staging folder is not supported for DuckDB;

-- last change
unknown;
