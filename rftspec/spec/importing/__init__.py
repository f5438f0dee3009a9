"""Coming from elsewhere: another product's file → the text of a spec, and what became of each key.

Nothing is dropped silently: a ledger holds every key of the file as mapped, changed, without a
counterpart, refused, or unknown.
"""
