"""Answers SQL with Spark, where pyspark is installed: tables and questions as JSON come in, rows go out."""

import json
import sys

from pyspark.sql import SparkSession

asked = json.load(sys.stdin)
session = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
session.sparkContext.setLogLevel("ERROR")
for name, folder in asked["tables"].items():
    session.read.parquet(folder).createOrReplaceTempView(name)
for question in asked["questions"]:
    print(json.dumps([list(row) for row in session.sql(question).collect()], default=str))
