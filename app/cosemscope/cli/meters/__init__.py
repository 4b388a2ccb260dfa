"""How the meters of `cosemscope meter` are made, built in or out of a capture, and tried once."""
