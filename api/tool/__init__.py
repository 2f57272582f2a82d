"""The command line tool from inside: its commands, the demo city's process, the signing client, the doctor."""
