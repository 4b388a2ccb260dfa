"""The peers' environment, for clients that share no code with us."""

from tests.peers.conftest import peer_python, start_peer

__all__ = ("peer_python", "start_peer")
