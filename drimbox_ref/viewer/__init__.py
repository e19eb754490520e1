"""The zero-footprint viewer: its page, and the façade that gives that page decoded images.

It knows neither Consumer nor Source: whoever serves it says who may see what, and hands over
images as `ports.Arriving`.
"""
