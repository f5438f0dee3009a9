"""How alike two texts are: the metrics of `text_similarity`, each from a library known for it."""
