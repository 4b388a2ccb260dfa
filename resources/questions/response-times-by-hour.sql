-- Median and 95th percentile of response times, by the hour of each day (UTC)
SELECT
    date_trunc('hour', time) AS hour,
    count(response_time) AS answers,
    count(DISTINCT meter) AS meters,
    round(median(response_time) / 1000, 1) AS median_ms,
    round(quantile_cont(response_time, 0.95) / 1000, 1) AS p95_ms
FROM exchanges
WHERE response_time IS NOT NULL
GROUP BY hour
ORDER BY hour;
