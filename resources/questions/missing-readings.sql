-- Days without a reading: meters of which the total of imported energy was never told that day
WITH meters AS (
    SELECT DISTINCT meter FROM exchanges WHERE obis = '1.0.1.8.0.255' AND attribute = 2
),
told AS (
    SELECT DISTINCT day, meter
    FROM "values"
    WHERE obis = '1.0.1.8.0.255' AND attribute = 2 AND value IS NOT NULL
)
SELECT day, meter
FROM (SELECT DISTINCT day FROM exchanges)
CROSS JOIN meters
ANTI JOIN told USING (day, meter)
ORDER BY day, meter;
