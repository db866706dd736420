"""Prints a line and ends: start-up is the time to this line."""
print("first line")
