"""Devices that cannot be had in a test run: real HTTP clients with the rules of the device in front of a real server."""
