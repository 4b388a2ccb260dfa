"""The document that a window shows, and those it has let go of while their threads still end."""

from PySide6.QtCore import QObject, Signal

from cosemscope.gui.document.document import Document


class OpenDocuments(QObject):
    """`current` is the document shown, None without one. `released` says that one is gone for good."""

    released = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.current: Document | None = None
        self.retiring: set[Document] = set()

    def let_go(self) -> bool:
        """Close the present document, whose thread may take a moment longer; False when there is none."""
        document, self.current = self.current, None
        if document is None:
            return False
        self.retiring.add(document)
        document.released.connect(lambda: self._retire(document))
        document.close()
        return True

    def _retire(self, document: Document) -> None:
        self.retiring.discard(document)
        self.released.emit()
        document.deleteLater()

    def wait_for_all(self) -> None:
        """Wait until the threads of those let go of have ended: for the end of the program only."""
        for document in list(self.retiring):
            document.wait()
