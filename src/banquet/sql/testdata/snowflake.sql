-- session
ALTER SESSION SET TIMEZONE = 'UTC';

-- session
ALTER SESSION SET TIMESTAMP_INPUT_FORMAT = 'AUTO';

-- session
ALTER SESSION SET DATE_INPUT_FORMAT = 'AUTO';

-- all rows, rows without key or time among them
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN '2021-04-01 00:00:00.000000+00:00'::TIMESTAMP_TZ AND '2021-04-02 00:00:00.123456+00:00'::TIMESTAMP_TZ OR banquet_source."event_ts" IS NULL);

-- newest row per key of a table, rows without key or time beside them
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  banquet_source."event_ts" AS "__event_time",
  banquet_source."created" AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN '2021-04-01 00:00:00.000000+00:00'::TIMESTAMP_TZ AND '2021-04-02 00:00:00.123456+00:00'::TIMESTAMP_TZ OR banquet_source."event_ts" IS NULL)
QUALIFY ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", COLLATE(banquet_source."city", '') ORDER BY banquet_source."event_ts" DESC NULLS LAST, banquet_source."created" DESC NULLS LAST) = 1
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
WHERE banquet_source."event_ts" BETWEEN '2021-04-01 00:00:00.000000'::TIMESTAMP_NTZ AND '2021-04-02 00:00:00.123456'::TIMESTAMP_NTZ
  AND banquet_source."driver_id" IS NOT NULL
  AND banquet_source."city" IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", COLLATE(banquet_source."city", '') ORDER BY banquet_source."event_ts" DESC NULLS LAST, banquet_source."created" DESC NULLS LAST) = 1;

-- newest rows, ties too, of a query, entityless, by date, renamed
SELECT
  banquet_source."rate" AS "conv ""rate""",
  banquet_source."x.y`z" AS "select",
  banquet_source."event_ts" AS "__event_time"
FROM (
SELECT * FROM events -- all of them;
) AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN '2021-04-01'::DATE AND '2021-04-02'::DATE OR banquet_source."event_ts" IS NULL)
QUALIFY RANK() OVER (ORDER BY banquet_source."event_ts" DESC NULLS LAST) = 1
  OR banquet_source."event_ts" IS NULL;

-- counts
SELECT
  COUNT(*) AS "row_count",
  COUNT(CASE WHEN banquet_source."event_ts" IS NULL THEN 1 END) AS "null_time",
  COUNT(CASE WHEN banquet_source."event_ts" IS NOT NULL AND (banquet_source."driver_id" IS NULL OR banquet_source."city" IS NULL) THEN 1 END) AS "null_key"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE (banquet_source."event_ts" BETWEEN '2021-04-01 00:00:00.000000+00:00'::TIMESTAMP_TZ AND '2021-04-02 00:00:00.123456+00:00'::TIMESTAMP_TZ OR banquet_source."event_ts" IS NULL);

-- unload
COPY INTO 'gcs://lake/it''s/run/'
FROM (
SELECT
  banquet_source."driver_id" AS "driver_id",
  banquet_source."city" AS "city",
  banquet_source."rate" AS "rate",
  CONVERT_TIMEZONE('UTC', banquet_source."seen")::TIMESTAMP_NTZ AS "seen",
  CONVERT_TIMEZONE('UTC', banquet_source."event_ts")::TIMESTAMP_NTZ AS "__event_time",
  CONVERT_TIMEZONE('UTC', banquet_source."created")::TIMESTAMP_NTZ AS "__created_time"
FROM "lake"."gold"."driver_stats" AS banquet_source
WHERE banquet_source."event_ts" BETWEEN '2021-04-01 00:00:00.000000+00:00'::TIMESTAMP_TZ AND '2021-04-02 00:00:00.123456+00:00'::TIMESTAMP_TZ
  AND banquet_source."driver_id" IS NOT NULL
  AND banquet_source."city" IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY banquet_source."driver_id", COLLATE(banquet_source."city", '') ORDER BY banquet_source."event_ts" DESC NULLS LAST, banquet_source."created" DESC NULLS LAST) = 1
)
STORAGE_INTEGRATION = lake_gcs
FILE_FORMAT = (TYPE = PARQUET)
HEADER = TRUE
DETAILED_OUTPUT = TRUE
MAX_FILE_SIZE = 104857600;

-- last change
SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME('"lake"."gold"."driver_stats"') AS "changed_ns";
