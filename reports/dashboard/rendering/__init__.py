"""How pages are written: templates, words, and the scripts and styles that go with them."""
