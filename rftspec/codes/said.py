"""What is said when a code comes up: the example of pages that show no part of a spec.

Made by `python -m tools.said` from the messages in tests/golden, each of which a test makes happen.
"""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "E001": "error[E001]: the file is UTF-16, not UTF-8",
    "E003": "error[E003]: the file has more than 1,048,576 bytes, the limit of a spec",
    "E010": "error[E010]: nested more than 32 deep",
    "E102": "error[E102]: `version` is missing in the spec: Version of the spec's form.",
    "E110": "error[E110]: the file is empty",
    "E112": "error[E112]: `train.steps` is not of the form path=value",
    "E113": "error[E113]: `train.steps` is set twice: by --set 1 and here",
    "E204": "error[E204]: the file is compressed (gzip)",
    "E209": "error[E209]: the file has no rows",
    "E216": "error[E216]: `ranking/concise.py` is not UTF-8",
    "E221": "error[E221]: the compressed file is cut off: its end is missing",
    "E222": "error[E222]: the row has 3 cells, the first line names 2 columns",
    "E223": "error[E223]: a Parquet file needs the package `pyarrow`, which is not installed",
    "E224": "error[E224]: the hub cannot be reached for `nobody/nothing`",
    "E225": "error[E225]: `scan` holds bytes, which no grader could read",
    "E230": "error[E230]: cannot read the archive /home/you/project/cases: File is not a zip file",
    "E231": "error[E231]: too few genes in /home/you/project/cases to leave a row for validation, "
    "train",
    "E232": "error[E232]: cannot write to /home/you/project/out: File exists",
    "E304": "error[E304]: the expression is 39,013 bytes long; at most 8,192 are allowed",
    "E305": "error[E305]: the expression is nested more than 64 levels deep here",
    "E325": "error[E325]: the name of a field is a text literal",
    "E404": "error[E404]: this system cannot lock a Python grader in: missing seccomp (this kernel "
    "has none)",
    "E405": "error[E405]: unknown type of grader `string_chek`; there are string_check, "
    "text_similarity, number_match, json_schema, list_match, expression, python, multi, "
    "score_model, label_model, endpoint",
    "E406": "error[E406]: `g-1` cannot name a grader: expressions could not use it as a variable",
    "E411": "error[E411]: `reference` is missing in a string_check grader",
    "E420": "error[E420]: `evaluation_metric: rouge_l` needs the package rouge-score, which is not "
    "installed",
    "E421": "error[E421]: meteor needs WordNet (the data `corpora/wordnet` of nltk), which is not "
    "there",
    "E444": "warning[E444]: this grader needs the package `openai`, which is not installed",
    "E506": "error[E506]: answers of 64 tokens do not fit in the model's context of 64",
    "E601": "error[E601]: the gold answer cannot be graded on 8 of 8 rows: formula_parse_error: "
    "`/` by 0",
    "E602": "error[E602]: the form that is asked for, with nothing in it earns 1, the right answer "
    "1",
    "E701": "error[E701]: a key in double quotes is missing here",
    "E702": "error[E702]: this is a row of data",
    "E703": "error[E703]: `operation` is not as it should be: Equal, not equal, contains, contains "
    "in any case; one of: eq, ne, like, ilike",
    "E708": "error[E708]: `spec.yaml` is there already",
    "H0": "warning[H0]: the base model on the validation rows earns 0, the least there is, with "
    "every answer: see `explain H0`",
    "H1": "warning[H1]: no group had any signal for 10 steps (all wrong: the rows are too hard for "
    "this model, or a grader is broken) (step 10)",
    "H10": "warning[H10]: sampler and learner differ by up to 0.5 nats on 100.00% of the tokens, "
    "more than the engine's bound: they are weighted by truncated importance ratios (step 1)",
    "H2": "warning[H2]: 95% of the completions are cut off at 32 tokens: raise response.max_tokens "
    "(step 1)",
    "H3": "warning[H3]: 2.0% of the completions could not be graded: other_error × 3 (step 1)",
    "H4": "warning[H4]: completions are 2.0 × as long as at the start while `exact` went from 0.30 "
    "to 0.30: the reward may pay for words (step 14)",
    "H9": "warning[H9]: the gradient was not finite: this step's update was left out (step 1)",
    "M201": "error[M201]: there is no built-in model `none-such`",
    "M202": "error[M202]: owner/model: the hub has no such model (403 Client Error. Cannot access "
    "gated repo.)",
    "M203": "error[M203]: owner/model: the model is gated (403 Client Error. Cannot access gated "
    "repo.)",
    "M204": "error[M204]: /home/you/project/model: its config.json cannot be read (Unrecognized "
    "model in /home/you/project/model. Should have a `model_type` key in its config.json.)",
    "M205": "error[M205]: /home/you/project/model: the tokenizer cannot be loaded (Couldn't "
    "instantiate the backend tokenizer from one of: )",
    "M206": "error[M206]: /home/you/project/model has no chat template",
    "M207": "error[M207]: /home/you/project/model: it is not a causal language model (Unrecognized "
    "configuration class <class 'transformers.models.vit.configuration_vit.ViTConfig'> for this "
    "kind of AutoModel: AutoModelForCausalLM.)",
    "M208": "error[M208]: LoRA cannot be attached: Target modules {'query_key_value'} not found in "
    "the base model. Please check the target modules and try again.",
    "M209": "error[M209]: no CUDA device was found",
    "M210": "error[M210]: row 41 of train has 500 prompt tokens: with 16 of the answer that is "
    "more than the model's 512",
    "M211": "error[M211]: bitsandbytes cannot be imported (import of bitsandbytes.nn halted; None "
    "in sys.modules)",
    "M212": "error[M212]: /home/you/project/adapter has no readable adapter_model.safetensors (No "
    "such file or directory: /home/you/project/adapter/adapter_model.safetensors)",
    "M213": "error[M213]: /home/you/project/toy does not fit into memory",
    "M214": "error[M214]: the chat template refused a row: no system messages",
    "M215": "error[M215]: there is no algorithm `gppo`",
    "M216": "error[M216]: the adapter in /home/you/project/adapter is of kind PROMPT_TUNING",
    "R401": "error[R401]: `/home/you/project/run` exists and holds something that is no run",
    "R402": "error[R402]: `/home/you/project/file/run` cannot be written: file exists",
    "R403": "error[R403]: the disk is full: `/home/you/project/run` could not be written",
    "R404": "error[R404]: `/home/you/project/run` holds no run: plan.json: no such file or "
    "directory",
    "R405": "error[R405]: `/home/you/project/run` cannot be resumed: its commits or the states "
    "they name are damaged",
    "R406": "error[R406]: another process is writing `/home/you/project/run`",
    "R407": "error[R407]: `/home/you/project/train.jsonl` has changed since the run was planned",
    "R408": "error[R408]: line 1 of `/home/you/project/outputs.jsonl` is no output: it needs "
    "`output_text` (a string), and `id` or `row`",
    "R409": "error[R409]: `/home/you/project/outputs.jsonl` cannot be read: no such file or "
    "directory",
    "R410": "error[R410]: `runs/ranking` holds another plan than this one:",
    "R411": "error[R411]: `plan.json` cannot be run as a plan: it is no JSON: expecting property "
    "name enclosed in double quotes",
    "R412": "error[R412]: a saved plan takes no changes",
    "R413": "error[R413]: `/home/you/project/eval` holds another evaluation: samples per row of it "
    "differs",
    "R414": "error[R414]: `/home/you/project/adapter` is no adapter: it has no adapter_config.json",
    "R415": "error[R415]: `ranking.lock` cannot be read as a lock: it is no TOML: Invalid value "
    "(at line 2, column 7)",
    "R416": "error[R416]: the content of the model `owner/never-seen` is not known here, so it "
    "cannot be locked",
    "R417": "error[R417]: this is not what `ranking.lock` has locked:",
    "R418": "error[R418]: `plan.json` was made of something else than is here now:",
    "R419": "error[R419]: there is no lock `ranking.lock`",
    "W214": "warning[W214]: the same row as ranking/train.jsonl:1, in another split",
    "W226": "warning[W226]: 93% of this prompt's own runs of five words stand in "
    "ranking/train.jsonl:1, too",
    "W447": "warning[W447]: a key would travel to judge.example unencrypted",
    "W603": "warning[W603]: the right answer (item.gene in `genes`) earns 0.8 on average, and the "
    "most is 1; rows 0, 1, 2, 3, 4 …",
    "W604": "warning[W604]: the form that is asked for, with nothing in it earns 0.7 of at most 1",
    "W605": "warning[W605]: nothing at all earns no less than the right answer on 12% of rows",
    "W606": "warning[W606]: graded twice, the same answers got different rewards: gold, empty, "
    "prompt, refusal, empty form, constant, other row, every candidate, repeated, padded, "
    "wrapped, bare",
    "W607": "warning[W607]: all right answers of the data at once earns 1, the right one alone 1",
    "W608": "warning[W608]: the right answer in chatter and a code fence earns 1",
    "W609": "warning[W609]: no gold answer is known, so nothing can be compared with it",
    "W610": "warning[W610]: `GENEA` is the right answer to 83% of rows",
    "W611": "warning[W611]: gold answers have up to 80 tokens, and 64 are allowed",
    "W612": "warning[W612]: the base model earns 0, the least there is, with every answer",
    "W613": "warning[W613]: in 7 of 8 groups all 4 answers earn the same",
    "W614": "warning[W614]: the run needs about 32.2 GB and the device has 25.8 GB: take a smaller "
    "base model",
    "W615": "warning[W615]: 75 % of the base model's answers are cut off at 64",
    "W704": "warning[W704]: `hyperparameters` is not known here, and was left out",
    "W705": "warning[W705]: in the hosted product a `wrong` that failed counted as 0, which paid "
    "at least 0; the worst answer earns -1",
    "W706": "warning[W706]: `neq` is spelt `ne`",
    "W707": "warning[W707]: `X-Key` may be a secret: its value was left out: the environment "
    "variable `GRADER_X_KEY` is to hold it",
}
