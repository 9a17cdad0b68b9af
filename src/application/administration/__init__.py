"""What the use cases of administrators have in common."""
