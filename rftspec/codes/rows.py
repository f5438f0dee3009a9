"""Codes of files and rows: E2xx."""

from __future__ import annotations

from rftspec.codes.page import CodePage

_TRAIN = "ranking/train.jsonl"
_VALIDATION = "ranking/validation.jsonl"
_OUTPUTS = "ranking/outputs.jsonl"

PAGES = (
    CodePage(
        "E201",
        "No such file",
        "The file is not there or cannot be read. Paths are relative to the spec, wherever the "
        "command is typed.",
        "  test: ranking/test.jsonl\n",
        "  test: ranking/tset.jsonl\n",
    ),
    CodePage(
        "E202",
        "Not a file",
        "What is there is a folder, a pipe or a device. Only regular files are read.",
        "  test: ranking/test.jsonl\n",
        "  test: ranking\n",
    ),
    CodePage(
        "E203",
        "A line that is no row",
        "Each line of a JSONL file, and each element of the array in a `.json` file, is one strict "
        "JSON object: no NaN, no comments, no trailing commas, no Python quotes, at most 64 levels "
        "deep and 16 MiB long.",
        '"gene": "TRN0", "weight": 0.0}',
        '"gene": "TRN0", "weight": 0.0,}',
        _TRAIN,
    ),
    CodePage(
        "E204",
        "Not a text file in UTF-8",
        "The data file has another encoding than UTF-8, or its name does not say what it is: the "
        "ending names the format (`.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`) and the "
        "compression (`.gz`, `.zst`).",
    ),
    CodePage(
        "E205",
        "The same key twice in a row",
        "A JSON object has each key once; most readers silently take the last.",
        '"gene": "TRN0", "weight": 0.0}',
        '"gene": "TRN0", "gene": "TRN1"}',
        _TRAIN,
    ),
    CodePage(
        "E206",
        "Malformed messages",
        "A row's `messages` are a list of {role, content} as in OpenAI's format; roles are "
        "developer, system, user, assistant and tool, and the last message is the user's. Rows "
        "without messages need `data.prompt`, whose fields every row must have.",
        '{"id": "TRN0-0", "messages": [{"role": "user"',
        '{"id": "TRN0-0", "messages": [{"role": "human"',
        _TRAIN,
    ),
    CodePage(
        "E207",
        "An empty message",
        "A message has no text in it.",
        '"content": "Signs present: sign 0, sign 0. Signs absent: sign 0."',
        '"content": " "',
        _TRAIN,
    ),
    CodePage(
        "E208",
        "A path that a spec may not name",
        "A path is relative to the spec, or absolute; it is no address (https://, file://), has no "
        "`~` or `$` in it, no backslash and no control character. A Hugging Face data set is named "
        "as `hf:owner/name?config=main&split=train&revision=…`, under `data` only.",
        "  test: ranking/test.jsonl\n",
        "  test: https://example.org/test.jsonl\n",
    ),
    CodePage(
        "E209",
        "A file without rows",
        "The data file is empty.",
    ),
    CodePage(
        "E210",
        "A value in two files",
        "`data.disjoint` names a field whose values no two files may share: what was trained on "
        "must not measure the model. Case and space make no difference. Move all rows of the value "
        "to one file.",
        '"gene": "VAL0"',
        '"gene": "trn0"',
        _VALIDATION,
    ),
    CodePage(
        "W211",
        "The answer may stand in the prompt",
        "The value of the first `data.disjoint` field is a word of its own row's prompt. If the "
        "field is the answer, the model needs only to copy it.",
        '"content": "Signs present: sign 0, sign 0. Signs absent: sign 0."',
        '"content": "Signs present: sign 0 (TRN0). Signs absent: sign 0."',
        _TRAIN,
    ),
    CodePage(
        "E212",
        "A row without the field that keeps rows apart",
        "`data.disjoint` or `data.validation.by` names a field that this row does not have.",
        '"gene": "TRN0", "weight": 0.0}',
        '"weight": 0.0}',
        _TRAIN,
    ),
    CodePage(
        "W213",
        "The same row twice",
        "Two rows of one file are the same but for their id; the row counts twice.",
        '{"id": "TRN1-1"',
        '{"id": "TRN1-x", "messages": [{"role": "user", "content": "Signs present: sign 1, '
        'sign 1. Signs absent: sign 1."}], "gene": "TRN1", "weight": 0.5}\n{"id": "TRN1-1"',
        _TRAIN,
    ),
    CodePage(
        "W214",
        "The same row in two files",
        "A row of one split stands in another, too: what was trained on must not measure the "
        "model. `data.disjoint` makes this an error for the values of a field.",
    ),
    CodePage(
        "E214",
        "Too many rows taken for validation",
        "`data.validation.split` asks for as many rows as the training file has, or more; or the "
        "field `by` keeps so many rows together that no group of them fits.",
        "  validation: ranking/validation.jsonl\n",
        "  validation: { split: 500, by: item.gene }\n",
    ),
    CodePage(
        "E215",
        "The same file for two splits",
        "What was trained on must not measure the model. To measure on rows of the training file, "
        "let rftspec take them out: `validation: { split: 200, by: item.x }`.",
        "  test: ranking/test.jsonl\n",
        "  test: ranking/train.jsonl\n",
    ),
    CodePage(
        "E216",
        "A grader's file cannot be read",
        "A Python grader's `file` is UTF-8 text of at most 256 KiB.",
    ),
    CodePage(
        "E217",
        "A field that is missing in some row",
        "A grader, metric or template uses a field of the rows, and this row does not have it. A "
        "template cannot do without; an expression can give a default: `item.x ?? 0`.",
        '"gene": "VAL0", "weight": 0.0}',
        '"gene": "VAL0"}',
        _VALIDATION,
    ),
    CodePage(
        "E218",
        "A field of two kinds",
        "A field that a grader or metric uses is null in some row, or a number here and text "
        "there. Write it the same way in every row.",
        '"gene": "VAL0", "weight": 0.0}',
        '"gene": "VAL0", "weight": "none"}',
        _VALIDATION,
    ),
    CodePage(
        "E219",
        "Outputs that answer no row",
        "The file of a reference has lines with `output_text` and, to say which row is answered, "
        "`id` (the row's own) or `row` (its place in the file, from 0).",
        '{"row": 0, "output_text": ',
        '{"row": 0, "output": ',
        _OUTPUTS,
    ),
    CodePage(
        "W220",
        "Outputs for some rows only",
        "The reference's file does not answer every row of the headline split; its column in the "
        "report is of those that it answers.",
        '{"row": 0, "output_text": ',
        '{"row": 600, "output_text": ',
        _OUTPUTS,
    ),
    CodePage(
        "E221",
        "A damaged data file",
        "A compressed or Parquet file is cut off or broken. Copy, compress or write it again.",
    ),
    CodePage(
        "E222",
        "A table with a malformed row",
        "A CSV or TSV file has column names in its first line and as many cells in every row. A "
        "cell with a separator, a quote or a line end in it stands in double quotes; a quote "
        "inside is written twice. Every cell is text; a column `messages` is read as JSON.",
    ),
    CodePage(
        "E223",
        "A package for this format is missing",
        "Parquet files, files compressed by zstd and Hugging Face data sets need packages that a "
        "plain installation does not bring: `pip install 'rftspec[data]'`.",
    ),
    CodePage(
        "E224",
        "A hub data set that cannot be had",
        "The Hugging Face data set, its config, split or revision does not exist, asks for a "
        "login, or the hub cannot be reached and nothing is kept on disk. Once read, a data set "
        "is kept and needs no connection; files that were downloaded can be named instead.",
    ),
    CodePage(
        "E225",
        "A column that no row of JSON can hold",
        "Parquet files and hub data sets may hold bytes, images, NaN or integers beyond 64 bits; "
        "rows may not. Dates and times become ISO 8601 text and decimals become numbers.",
    ),
    CodePage(
        "W226",
        "A prompt much like one that is trained on",
        "At least 80 % of the runs of five words that make this prompt its own stand in one "
        "training prompt, too. Runs that many rows share, such as instructions, do not count. "
        "Prompts with fewer than eight such runs are compared as a whole, unless `data.disjoint` "
        "keeps rows apart. Five words and 80 % are what large text corpora are rid of "
        "near-duplicates by (Lee et al. 2022, arXiv:2107.06499). What was nearly trained on says "
        "little about what was learnt.",
    ),
    CodePage(
        "E230",
        "The archive cannot be read",
        "`rftspec data phenopackets` reads a release archive of phenopacket-store (zip), or a "
        "folder of its JSON files.",
    ),
    CodePage(
        "E231",
        "Too few cases",
        "There are too few cases or genes for the numbers of rows that were asked for.",
    ),
    CodePage(
        "E232",
        "The folder for the rows cannot be written",
        "Choose another folder with `--out`.",
    ),
)
