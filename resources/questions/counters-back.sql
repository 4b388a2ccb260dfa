-- Counters that went back: a register of energy told less than it had told before
WITH told AS (
    SELECT
        meter, server_wport, obis, time, value, unit, capture, packet,
        lag(value) OVER counter AS before,
        lag(time) OVER counter AS before_time
    FROM "values"
    WHERE class_id IN (3, 4) AND attribute = 2 AND value IS NOT NULL
        AND regexp_matches(obis, '^\d+\.\d+\.\d+\.8\.\d+\.\d+$')
    WINDOW counter AS (PARTITION BY meter, server_wport, obis ORDER BY time, capture, wpdu, item)
)
SELECT meter, obis, before_time, before, time, value, unit, capture, packet
FROM told
WHERE value < before
ORDER BY time, meter, obis;
