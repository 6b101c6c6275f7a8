"""What takes long, worked out beside the server and remembered: conclusions, forecasts, output."""
