"""Run by the interpreter of an environment with scapy and dpkt: a line of JSON for each payload they make.

Arguments: seed, and payloads of each kind. Every class of packet that scapy and its contributions know
is made with random fields, every one of dpkt as it is by itself. What cannot be made is passed over.
"""

import contextlib
import importlib
import inspect
import io
import json
import pkgutil
import random
import sys
import warnings

MOST = 1200


def modules(package):
    """The package's modules that can be imported, with those of packages in it."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".arch" in found.name or ".tools" in found.name or "automotive" in found.name:
            continue
        with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
            yield importlib.import_module(found.name)


def classes(package, base):
    """Every class of packets below `base`, by its full name."""
    found = {}
    for module in modules(package):
        for _, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, base) and one is not base:
                found[f"{one.__module__}.{one.__name__}"] = one
    return sorted(found.items())


def tell(name, make):
    """Print what `make` makes, if it can."""
    with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
        octets = make()[:MOST]
        if octets:
            return print(json.dumps({"name": name, "octets": octets.hex()}), file=sys.__stdout__)


def main(seed, count):
    """Make everything."""
    warnings.simplefilter("ignore")
    random.seed(seed)
    import dpkt
    import scapy.layers
    import scapy.packet

    for name, one in classes(dpkt, dpkt.Packet):
        tell(name, lambda one=one: bytes(one()))
    import scapy.contrib

    for package in (scapy.layers, scapy.contrib):
        for name, one in classes(package, scapy.packet.Packet):
            for _ in range(count):
                tell(name, lambda one=one: bytes(scapy.packet.fuzz(one())))
            tell(name, lambda one=one: bytes(one()))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
