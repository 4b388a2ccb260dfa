"""The Windows installer's lists, registration, manifests and signature, as far as they show here."""

import json
import shutil
import subprocess

import pytest

from tests.helpers.scripts import CHECKOUT, script

nsis = script("release.windows.nsis")
runtime = script("release.windows.runtime")
signing = script("release.windows.signing")
winget = script("release.windows.winget")
version_resource = script("release.windows.version_resource")
facts = script("release.facts")
steps = script("release.steps")


@pytest.fixture
def payload(tmp_path):
    """A frozen folder in small."""
    for name in ("cosemscope.exe", "_internal/python311.dll", "_internal/a/b/deep.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def macro(lines, name):
    """The lines of one macro."""
    start = lines.index(f"!macro {name}")
    return [line.strip() for line in lines[start + 1 : lines.index("!macroend", start)]]


def test_what_is_installed_is_removed_file_by_file(payload):
    """And folders the deepest first, only when empty: what a user put there stays."""
    lines = list(nsis.file_lists(payload))
    installed = [line for line in macro(lines, "INSTALL_FILES") if line.startswith("File ")]
    removed = macro(lines, "REMOVE_FILES")
    assert len(installed) == 3
    assert [line for line in removed if line.startswith("Delete")] == [
        'Delete "$INSTDIR\\_internal\\a\\b\\deep.txt"',
        'Delete "$INSTDIR\\_internal\\python311.dll"',
        'Delete "$INSTDIR\\cosemscope.exe"',
    ]
    assert [line for line in removed if line.startswith("RMDir")] == [
        'RMDir "$INSTDIR\\_internal\\a\\b"',
        'RMDir "$INSTDIR\\_internal\\a"',
        'RMDir "$INSTDIR\\_internal"',
    ]


def test_the_default_program_is_not_touched(payload):
    """Captures can be opened with Cosemscope; nothing is written to a suffix's own default."""
    lines = list(nsis.file_lists(payload))
    registered = macro(lines, "REGISTER_TYPES")
    for kind in facts.FILE_TYPES:
        suffix = f'"Software\\Classes\\.{kind.suffix}'
        assert [line for line in registered if f"{suffix}\\OpenWithProgids" in line]
        assert not [line for line in registered if line.startswith("WriteRegStr") and f'{suffix}" ' in line]
    undone = macro(lines, "UNREGISTER_TYPES")
    assert [line for line in undone if line.startswith("DeleteRegKey SHCTX")] == [
        'DeleteRegKey SHCTX "Software\\Classes\\Applications\\cosemscopew.exe"',
        'DeleteRegKey SHCTX "Software\\Cosemscope"',
        'DeleteRegKey SHCTX "Software\\Classes\\Cosemscope.pcap"',
        'DeleteRegKey SHCTX "Software\\Classes\\Cosemscope.pcapng"',
    ]


def test_npcap_is_linked_to_and_not_brought():
    """Its licence does not let it be passed on."""
    text = (CHECKOUT / "packaging/release/windows/installer.nsi").read_text()
    assert "https://npcap.com/" in text
    listed = (CHECKOUT / "packaging/release/lists/windows.txt").read_text().lower()
    assert not any(word in listed for word in ("npcap", "wpcap", "packet.dll"))


def test_winget_manifests_fit_the_schema_and_a_wrong_one_does_not(tmp_path):
    """The schema has winget's limits for the fields in use."""
    jsonschema = pytest.importorskip("jsonschema", reason="the set `release` is not set up")
    schema = json.loads(winget.SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    setup = tmp_path / "setup.exe"
    setup.write_bytes(b"x")
    made = winget.manifests(setup, "https://example.org/setup.exe")
    assert len(made) == 3
    for manifest in made.values():
        jsonschema.validate(manifest, schema)
        for field, wrong in (("PackageIdentifier", "one"), ("ManifestVersion", "1"), ("Surprise", 1)):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({**manifest, field: wrong}, schema)
    installer = made["Cosemscope.Cosemscope.installer.yaml"]
    assert {each["Scope"] for each in installer["Installers"]} == {"user", "machine"}


def test_the_version_resource_tells_all():
    """What Explorer shows under Details."""
    told = version_resource.version_texts(facts.FACTS, "cosemscopew")
    assert told["OriginalFilename"] == "cosemscopew.exe"
    assert told["FileVersion"] == told["ProductVersion"] == facts.FACTS.version
    assert all(told.values())


def test_without_a_certificate_programs_stay_unsigned_with_a_warning(monkeypatch, tmp_path, capsys):
    """A build for oneself needs none; one that is named and missing stops the build."""
    monkeypatch.delenv("COSEMSCOPE_SIGN_PKCS12", raising=False)
    signing.sign([tmp_path / "a.exe"])
    assert "Warning: no certificate" in capsys.readouterr().out
    monkeypatch.setenv("COSEMSCOPE_SIGN_PKCS12", str(tmp_path / "missing.p12"))
    with pytest.raises(steps.BuildError, match="no file"):
        signing.sign([tmp_path / "a.exe"])


_TOOLS = ("osslsigncode", "openssl", "x86_64-w64-mingw32-gcc")


@pytest.mark.skipif(not all(map(shutil.which, _TOOLS)), reason=f"{', '.join(_TOOLS)} are not all installed")
def test_with_a_certificate_programs_are_signed(monkeypatch, tmp_path):
    """A certificate made here signs; its password stands in a file, never on a command line."""
    source, program = tmp_path / "a.c", tmp_path / "a.exe"
    source.write_text("int main(void) { return 0; }\n")
    runtime.compile_program(program, source)
    key, store, secret = tmp_path / "key.pem", tmp_path / "store.p12", tmp_path / "secret"
    secret.write_text("a test's")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=A test", "-keyout", key]
    subprocess.run([*make, "-out", tmp_path / "certificate.pem"], check=True, capture_output=True)
    pack = ["openssl", "pkcs12", "-export", "-inkey", key, "-in", tmp_path / "certificate.pem", "-out", store]
    subprocess.run([*pack, "-passout", f"file:{secret}"], check=True, capture_output=True)
    monkeypatch.setenv("COSEMSCOPE_SIGN_PKCS12", str(store))
    monkeypatch.setenv("COSEMSCOPE_SIGN_PASSWORD_FILE", str(secret))
    signing.sign([program])
    said = subprocess.run(
        ["osslsigncode", "verify", program], capture_output=True, text=True, check=False
    ).stdout
    assert "CN=A test" in said
