"""What remindctl costs, as a multiple of a process that does only what cannot be avoided."""
