"""How much of an answer's head is taken, over any protocol: everything that a server sends is hostile until bounded."""

MOST_HEADER_BYTES = 64 * 1024  # servers send at most 8 to 16 KiB by default; curl takes 300 KiB in all
MOST_HEADERS = 500
MOST_INTERIM = 20  # answers with a 1xx status before the final one
