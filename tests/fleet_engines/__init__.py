"""Engines that other people wrote read a fleet's tables: ClickHouse and Spark, against DuckDB."""
