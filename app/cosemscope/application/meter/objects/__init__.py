"""COSEM objects of the built-in meter (IEC 62056-6-2), one file for classes that belong together."""
