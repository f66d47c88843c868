"""The published system: the commands, the data layout and the inference of the paper's release (Liu et al. 2023).

flags      command lines for transformers 4, translated to the flags of transformers 5
arguments  the arguments of `train_model.py`, and which numbers they may be (bounds)
scores     `--eval_func` and `--eval_func_name`: metrics on pairs of texts, by name
rows       rows of an input and an output, from files, folders and the hub
data       rows -> tokens, with every cut counted
steps      optimizer steps: which examples, in which micro-batches
trainer    the loss of a step, checkpoints that resume exactly, evaluation
train      `train_model.py`
infer      `infer_model.py`
model      the checkpoint and tokenizer that the arguments name
config, layout   `symtune build-dataset`: the published data layout (with its parts releases, sampling and card)

Importing this package needs no extra, and neither does the layout; `train` and `infer` do.
"""
