"""The pages: a file each, with the numbers and the forms beside it."""
