"""Answers SQL with ClickHouse, where chdb is installed: questions as JSON come in, rows as JSON go out."""

import json
import sys

import chdb

for question in json.load(sys.stdin):
    answer = json.loads(chdb.query(question, "JSONCompact").bytes())
    print(json.dumps(answer["data"]))
