"""rftspec: reinforcement fine-tuning from one YAML file, with the proof."""

__version__ = "0.1.0"
