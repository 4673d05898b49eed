"""The command `mdm`."""
