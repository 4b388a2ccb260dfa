-- How many requests end with an error or without an answer, by the firmware that meters told last
WITH firmware AS (
    SELECT meter, arg_max(text, time) AS firmware
    FROM "values"
    WHERE obis LIKE '%.0.0.2.0.255' AND attribute = 2 AND text IS NOT NULL
    GROUP BY meter
)
SELECT
    coalesce(firmware, 'not told') AS firmware,
    count(DISTINCT meter) AS meters,
    count(*) AS requests,
    count(*) FILTER (status = 'error') AS errors,
    count(*) FILTER (status = 'unanswered') AS unanswered,
    round(100.0 * count(*) FILTER (status = 'error') / count(*), 2) AS error_percent
FROM exchanges
LEFT JOIN firmware USING (meter)
WHERE status IN ('answered', 'error', 'unanswered')
GROUP BY ALL
ORDER BY error_percent DESC, firmware;
