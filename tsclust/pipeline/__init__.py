"""The story: a module per command, the only place where I/O and computing meet.

Each command is a function that takes a workspace folder and settings (flags over environment over tsclust.toml over
defaults), reports progress to a listener, and returns what it did. None of them prints. `tsclust.COMMAND` is the
function of the same name.
"""
