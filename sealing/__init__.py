"""Sealing: canonical content to PDF, PDF to sealed PDF, sealed PDF to verdict.

A plain package at the bottom of the house: it imports no app and no Django. Import from its
modules; nothing heavy (WeasyPrint, pyHanko) is loaded until it is needed.
"""
