"""An oracle as a process: `oracle.py NAME` reads APDUs in hex, a line each, and answers with lines of JSON.

An answer is {"facts": ...} (see `dialect`), or {"error": ...} where the oracle could not read the APDU.
"""

import contextlib
import io
import json
import sys
from collections.abc import Callable

from dialect import facts


def pydlms() -> Callable[[bytes], str]:
    """APDU to XML by pydlms-client."""
    from pydlms.gurux_xml import apdu_to_gurux_xml

    return lambda apdu: apdu_to_gurux_xml(apdu, secrets=True)


def gurux() -> Callable[[bytes], str]:
    """APDU to XML by gurux-dlms."""
    from gurux_dlms import GXDLMSTranslator
    from gurux_dlms.enums.TranslatorOutputType import TranslatorOutputType

    def convert(apdu: bytes) -> str:
        translator = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML)
        translator.comments = False
        return str(translator.pduToXml(apdu))

    return convert


ORACLES = {"pydlms": pydlms, "gurux": gurux}


def main() -> None:
    """Answer until the input ends."""
    convert = ORACLES[sys.argv[1]]()
    for line in sys.stdin:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # some of them talk
                answer: dict[str, object] = {"facts": facts(convert(bytes.fromhex(line)))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
