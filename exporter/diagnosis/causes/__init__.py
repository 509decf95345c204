"""The causes, by family. Families do not know each other; what masks what is said by id."""
