"""The only voice: everything a person or a script reads is printed or written here."""
