-- What connections came to, by day: complete, refused, unanswered, broken off
SELECT
    day,
    outcome,
    count(*) AS sessions,
    count(DISTINCT meter) AS meters,
    round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY day), 2) AS percent
FROM sessions
WHERE outcome IS NOT NULL
GROUP BY day, outcome
ORDER BY day, sessions DESC, outcome;
