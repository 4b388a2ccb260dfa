-- Meters that left the largest share of their requests without an answer
SELECT
    meter,
    count(*) AS requests,
    count(*) FILTER (status = 'unanswered') AS unanswered,
    round(100.0 * count(*) FILTER (status = 'unanswered') / count(*), 2) AS unanswered_percent,
    max(time) FILTER (status = 'unanswered') AS last_time
FROM exchanges
WHERE status IN ('answered', 'error', 'unanswered')
GROUP BY meter
HAVING count(*) FILTER (status = 'unanswered') > 0
ORDER BY unanswered_percent DESC, unanswered DESC, meter
LIMIT 20;
