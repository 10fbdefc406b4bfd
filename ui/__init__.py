"""Every way in: command line, HTTP, browser."""
