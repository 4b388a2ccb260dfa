"""The Qt window: one file a panel, models beside their views. The only room that imports Qt."""

from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Open the window on the capture that `words` name, or on the start page; return the exit status."""
    if words and words[0].startswith("--picture="):
        from cosemscope.gui.picture import paint

        return paint(words)
    from cosemscope.gui.application import run

    return run(words)
