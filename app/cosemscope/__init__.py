"""Cosemscope: an inspector for DLMS/COSEM over IP (IEC 62056-4-7)."""

__version__ = "0.1.0"
