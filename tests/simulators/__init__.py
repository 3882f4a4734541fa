"""Devices that cannot be had in a test run: real HTTP clients that keep the rules of the device, for a real server."""
