"""Records to packets: link and network headers opened, flows numbered, fragments joined; all in columns."""
