"""The published system: the commands, the data layout and the inference of the paper's release (Liu et al. 2023).

flags      command lines of that time, translated to the flags of today's transformers
arguments  what `train_model.py` can be told
scores     `--eval_func` and `--eval_func_name`: metrics by name on pairs of texts
data       splits with an input and an output column -> tokens, with every cut counted
steps      optimizer steps: which examples, in which micro-batches
trainer    the loss of a step, checkpoints that resume exactly, evaluation
train      `train_model.py`
infer      `infer_model.py`
model      a checkpoint and its tokenizer, as the arguments name them
config, layout   `symtune build-dataset`: the published data layout (releases, sampling and card are its parts)

Importing this needs no extra, and neither does the layout; `train` and `infer` do.
"""
