"""Build the rare-disease data set and the built-in base model from the Human Phenotype Ontology."""
