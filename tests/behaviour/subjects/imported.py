"""Stops while it is being imported."""
import sys

sys.modules["__main__"].stop()  #@imported
