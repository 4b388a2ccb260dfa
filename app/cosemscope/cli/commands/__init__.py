"""The commands: a file each, whose name, DESCRIPTION, add_arguments and run the table of commands finds."""
