"""Tasks in the background: progress, results, cancelling, and faults that leave nobody waiting."""

import threading

from cosemscope.gui.base.task import Task


def test_the_result_is_told_in_the_thread_of_who_asked(qtbot):
    threads = []
    task = Task(lambda tell: (tell(1, 2), threading.get_ident()))
    task.ended.connect(lambda _: threads.append(threading.get_ident()))
    with qtbot.waitSignals([task.progressed, task.ended]):
        task.start()
    assert threads == [threading.get_ident()]


def test_a_cancelled_task_has_no_result(qtbot):
    def work(tell):
        while True:
            tell(0, 1)

    task = Task(work)
    with qtbot.waitSignal(task.progressed):
        task.start()
    with qtbot.waitSignal(task.ended) as ended:
        task.cancel()
    assert ended.args == [None]


def test_a_task_that_breaks_ends(qtbot, caplog):
    task = Task(lambda tell: 1 // 0)
    with qtbot.waitSignal(task.ended) as ended:
        task.start()
    assert ended.args == [None]
    assert "ZeroDivisionError" in caplog.text
