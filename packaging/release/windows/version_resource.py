"""The version resource of the Windows programs: what Explorer shows under Details, and installers compare."""

from typing import Any

from release.facts import Facts


def version_texts(facts: Facts, program: str) -> dict[str, str]:
    """The texts of the resource, by the names that Windows knows."""
    return {
        "CompanyName": facts.publisher,
        "FileDescription": f"{facts.name}: {facts.summary}",
        "FileVersion": facts.version,
        "InternalName": program,
        "LegalCopyright": facts.copyright,
        "OriginalFilename": f"{program}.exe",
        "ProductName": facts.name,
        "ProductVersion": facts.version,
    }


def version_resource(facts: Facts, program: str) -> Any:
    """The resource as PyInstaller takes it; for US English in Unicode."""
    from PyInstaller.utils.win32 import versioninfo as resource

    texts = [resource.StringStruct(name, text) for name, text in version_texts(facts, program).items()]
    return resource.VSVersionInfo(
        ffi=resource.FixedFileInfo(filevers=facts.numbers, prodvers=facts.numbers, OS=0x40004),
        kids=[
            resource.StringFileInfo([resource.StringTable("040904B0", texts)]),
            resource.VarFileInfo([resource.VarStruct("Translation", [0x0409, 1200])]),
        ],
    )
