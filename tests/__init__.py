"""The suite; it mirrors `app/cosemscope`. Shared material comes from `tests.helpers.shared`."""
