"""The Qt window: one file a panel, models beside their views. The only room that imports Qt."""

from cosemscope.window_words import WindowWords


def main(wanted: WindowWords) -> int:
    """Open the window on the capture that is wanted, or on the start page; return the exit status."""
    if wanted.picture:
        from cosemscope.gui.picture import paint

        return paint(wanted)
    from cosemscope.gui.application import run

    return run(wanted)
