"""Expert information: checks that find items in columns, items out of trees, and the pass that runs them."""
