-- Meters that fell silent: nothing came from them in the last 24 hours of all captures
WITH heard AS (
    SELECT meter, max(time) AS last_heard
    FROM exchanges
    WHERE status IN ('answered', 'error', 'notification', 'unasked')
    GROUP BY meter
)
SELECT
    meter,
    last_heard,
    (SELECT count(*) FROM exchanges AS asked
     WHERE asked.meter = heard.meter AND asked.time > heard.last_heard AND status = 'unanswered') AS asked_since
FROM heard
WHERE last_heard < (SELECT max(last_time) FROM captures) - INTERVAL 24 HOURS
ORDER BY last_heard, meter;
