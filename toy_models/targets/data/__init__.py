"""The shipped counts and the script that makes them."""
