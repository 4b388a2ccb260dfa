-- The objects that take longest to read, by the 95th percentile from request to the end of the answer
SELECT
    class_id,
    obis,
    attribute,
    count(*) AS answers,
    count(DISTINCT meter) AS meters,
    round(avg(response_octets)) AS octets,
    round(median(response_time + response_transfer) / 1000, 1) AS median_ms,
    round(quantile_cont(response_time + response_transfer, 0.95) / 1000, 1) AS p95_ms
FROM exchanges
WHERE obis IS NOT NULL AND status = 'answered'
GROUP BY class_id, obis, attribute
ORDER BY p95_ms DESC, class_id, obis, attribute
LIMIT 20;
