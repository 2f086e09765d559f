"""The send log in a PostgreSQL database, for several machines; needs the extra ``postgres``."""
