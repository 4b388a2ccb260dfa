"""Process of its own: an APDU in hex a line goes through Gurux's translator, to XML and back.

An empty line stands for an APDU that the translator cannot read, or cannot write.
"""

import sys

from gurux_dlms import GXDLMSTranslator
from gurux_dlms.enums.TranslatorOutputType import TranslatorOutputType

for line in sys.stdin:
    translator = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML)
    try:
        back = translator.xmlToPdu(translator.pduToXml(line.strip()))
        # The library gives its whole buffer, which is longer than what it wrote.
        print(bytes(back).hex(), flush=True)
    except Exception:
        print(flush=True)
