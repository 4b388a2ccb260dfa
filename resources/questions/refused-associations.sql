-- Associations that were refused: why, how often, and by how many meters
SELECT
    result,
    diagnostic,
    mechanism,
    count(*) AS associations,
    count(DISTINCT meter) AS meters,
    min(time) AS first_time,
    max(time) AS last_time
FROM associations
WHERE state = 'refused'
GROUP BY result, diagnostic, mechanism
ORDER BY associations DESC, result, diagnostic, mechanism;
