"""What macOS is told of the program: the bundle's Info.plist, its document types, its entitlements.

Nothing here needs a Mac, so that tests look at it everywhere; `image.py` does what only a Mac can.
"""

from typing import Any

from release.facts import FILE_TYPES, Facts, FileType

#: The oldest macOS that PySide6's own libraries say they run on.
OLDEST_SYSTEM = "13.0"
#: What the hardened runtime must allow, and nothing else: libffi makes callbacks in memory it then runs, and
#: libpcap or a replaced Qt may be signed by somebody else.
ENTITLEMENTS = {
    "com.apple.security.cs.allow-unsigned-executable-memory": True,
    "com.apple.security.cs.disable-library-validation": True,
}
#: Files and folders that every bundle has, whatever the versions of what it carries.
STRUCTURE = (
    "Contents/Info.plist",
    "Contents/MacOS/cosemscope",
    "Contents/Resources/cosemscope.icns",
    "Contents/Frameworks/PySide6/Qt/lib/QtCore.framework",
    "Contents/Frameworks/PySide6/Qt/lib/QtGui.framework",
    "Contents/Frameworks/PySide6/Qt/lib/QtWidgets.framework",
    "Contents/Frameworks/PySide6/Qt/plugins/platforms/libqcocoa.dylib",
    "Contents/Resources/cosemscope/_resources/samples/first-look.pcapng",
    "Contents/Resources/LICENSE",
    "Contents/Resources/NOTICE",
    "Contents/Resources/licences/qt-and-pyside6/LGPL-3.0.txt",
)


def document_type(kind: FileType) -> dict[str, Any]:
    """An entry of CFBundleDocumentTypes: opened by the program, which never makes itself the default."""
    return {
        "CFBundleTypeName": kind.title,
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",
        "LSItemContentTypes": [kind.uti],
    }


def imported_type(kind: FileType) -> dict[str, Any]:
    """An entry of UTImportedTypeDeclarations, for a Mac on which no other program declares the type."""
    return {
        "UTTypeIdentifier": kind.uti,
        "UTTypeDescription": kind.title,
        "UTTypeConformsTo": ["public.data"],
        "UTTypeTagSpecification": {
            "public.filename-extension": [kind.suffix],
            "public.mime-type": [kind.mime],
        },
    }


def info_plist(facts: Facts) -> dict[str, Any]:
    """What is added to the Info.plist that PyInstaller writes (which has name, identifier, icon, version)."""
    return {
        "CFBundleDisplayName": facts.name,
        "CFBundleVersion": facts.version,
        "CFBundleShortVersionString": facts.version,
        "CFBundleDocumentTypes": [document_type(kind) for kind in FILE_TYPES],
        "UTImportedTypeDeclarations": [imported_type(kind) for kind in FILE_TYPES],
        "LSApplicationCategoryType": "public.app-category.developer-tools",
        "LSMinimumSystemVersion": OLDEST_SYSTEM,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": facts.copyright,
        "NSPrincipalClass": "NSApplication",
        "NSRequiresAquaSystemAppearance": False,
    }
