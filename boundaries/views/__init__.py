"""The pages. Each view reads the input by a form, makes one domain call, and answers."""
