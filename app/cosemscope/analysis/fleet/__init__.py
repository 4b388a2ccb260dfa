"""Tables for a fleet: captures become Parquet files by day, from which DuckDB and others answer."""
