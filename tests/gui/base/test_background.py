"""Work in the background: its result comes by a signal, and the program's end waits for it."""

import threading

from PySide6.QtCore import QObject, Signal

from cosemscope.gui.base.background import in_background, wait_for_background


class Asker(QObject):
    """Somebody who has work done."""

    done = Signal(object)


def test_the_result_is_told_in_the_askers_thread(qapp, qtbot):
    """The work is done elsewhere."""
    asker, threads = Asker(), []

    def work() -> str:
        threads.append(threading.current_thread())
        return "a result"

    with qtbot.waitSignal(asker.done) as told:
        in_background(work, asker.done)
    assert told.args == ["a result"]
    assert threads[0] is not threading.main_thread()


def test_the_end_waits_for_work_that_nobody_asks_about_any_more(qapp):
    """A copy that is being saved is finished, though its window is gone."""
    asker, go, finished = Asker(), threading.Event(), []

    def work() -> None:
        go.wait(10)
        finished.append(True)

    in_background(work, asker.done)
    del asker
    go.set()
    assert wait_for_background()
    assert finished == [True]
