"""TCP and UDP put together: a fast path for whole batches and a slow one, segment by segment."""
