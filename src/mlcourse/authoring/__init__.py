"""What turns the written sources into the book: the course's structure, derived notebooks, execution, the site."""
