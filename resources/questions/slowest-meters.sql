-- The slowest meters of the last seven days, by the 95th percentile of their response times
SELECT
    meter,
    count(response_time) AS answers,
    round(median(response_time) / 1000, 1) AS median_ms,
    round(quantile_cont(response_time, 0.95) / 1000, 1) AS p95_ms,
    round(max(response_time) / 1000, 1) AS max_ms
FROM exchanges
WHERE day > (SELECT max(day) - 7 FROM exchanges) AND response_time IS NOT NULL
GROUP BY meter
ORDER BY p95_ms DESC, meter
LIMIT 20;
