"""`turbostar bench`: stock Starlette against turbostar, side by side on one application."""
