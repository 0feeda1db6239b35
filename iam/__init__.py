"""The frame and the front door: kernel, access, wires, console kit, instance, login, settings."""
