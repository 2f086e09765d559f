"""The same work done by others, each as a careful user of theirs would write it.

They run under an interpreter that has them, share no code with remindctl, and import nothing
but what lies beside them.
"""
