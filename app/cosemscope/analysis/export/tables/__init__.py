"""The tables that go out: what rows and columns each has, whatever they are written as."""
