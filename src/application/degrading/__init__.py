"""What a gateway does by itself while the shared state is away."""
