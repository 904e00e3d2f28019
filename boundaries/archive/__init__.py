"""The archive: how long records are kept, legal holds, disposal of files, erasure of texts.

Nothing here happens by itself. A Revision's record is kept for the company's retention after the
Revision ended; then two people may dispose of its files, unless a legal hold stands. Everything
else of it stays: its row, text, hashes, signatures and events. ``archive.protections`` holds the
database to the same.
"""
