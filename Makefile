# Two commands set everything up in $(VENV): `make evaluate` (VOT toolkit) and `make test`.
# `make docs` builds the documentation site in site/.
#
#   make evaluate                        11 generated sequences, in vot_workspace/
#   make evaluate DATA=DIR WEIGHTS=FILE  sequences in VOT's layout, in runs/vot/<name of DIR>/
#   make reproduce OTB="DIR DIR" VOT=DIR RESULTS=DIR WEIGHTS=FILE
#                                        the paper's tables and figures, in runs/reproduce/
#   make fuzz SECONDS=N                  attacks every reader and writer; FUZZ=--help lists more
#
# Options of evaluate: WEIGHTS (default: $DSIAM_WEIGHTS, else those of the package), TRACKERS,
# DATA, REPETITIONS (1: the trackers repeat exactly), EAO=LOW,HIGH (frames), WORKSPACE.
# Options of reproduce: OTB (folders of sequences), VOT, RESULTS (others' raw results), WEIGHTS,
# FRAMES (150, or all), FILTER_SECONDS (speeds in EFO), OUT. Without OTB: $DSIAM_DATASETS/OTB2013.
# Of both: PYTHON, VENV, TORCH.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
TRACKERS ?= DSiamM DSiam SiamFC
WEIGHTS ?= $(DSIAM_WEIGHTS)
DATA ?=
REPETITIONS ?=
EAO ?=
OTB ?= $(if $(DSIAM_DATASETS),$(DSIAM_DATASETS)/OTB2013)
VOT ?=
RESULTS ?=
FRAMES ?= 150
FILTER_SECONDS ?=
OUT ?= runs/reproduce
SECONDS ?= 240
FUZZ ?=

SETTINGS := $(DATA)$(REPETITIONS)$(EAO)
WORKSPACE ?= $(if $(SETTINGS),runs/vot/$(notdir $(patsubst %/,%,$(or $(DATA),generated))),vot_workspace)
PREPARE = $(if $(DATA),--data "$(DATA)") $(if $(REPETITIONS),--repetitions $(REPETITIONS)) \
    $(if $(EAO),--eao $(EAO))
REPRODUCE = $(OTB:%=--data OTB=%) $(VOT:%=--vot %) $(RESULTS:%=--results %) \
    $(WEIGHTS:%=--weights %) $(FILTER_SECONDS:%=--filter_seconds %) --frames $(FRAMES)
BIN := $(VENV)/bin

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help evaluate reproduce test docs fuzz weights-named

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

# Text results (instead of binary ones) can be read by pysot's toolkit as well. The analysis
# cache is off because its keys do not depend on the results. PWD is what a relative path in
# $DSIAM_WEIGHTS refers to, as VOT starts trackers in a temporary folder.
evaluate: export VOT_RESULTS_BINARY := 0
evaluate: export VOT_PERSISTENT_CACHE := 0
evaluate: export DSIAM_WEIGHTS := $(WEIGHTS)
evaluate: export PWD := $(CURDIR)
evaluate: weights-named $(VENV)/.vot
	$(BIN)/dsiam vot prepare "$(WORKSPACE)" $(strip $(PREPARE)) --trackers $(TRACKERS)
	$(BIN)/vot evaluate --workspace "$(WORKSPACE)" $(TRACKERS)
	@$(BIN)/dsiam vot check "$(WORKSPACE)" $(TRACKERS)
	$(BIN)/vot analysis --workspace "$(WORKSPACE)" --name evaluate $(TRACKERS)
	$(BIN)/vot report --workspace "$(WORKSPACE)" --name evaluate $(TRACKERS)
	@$(BIN)/dsiam vot report "$(WORKSPACE)" $(TRACKERS)

reproduce: weights-named $(VENV)/.vot
	$(BIN)/dsiam reproduce "$(OUT)" $(strip $(REPRODUCE))

# The threads of the tests stay unbounded, and pytest's closing line comes last.
test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy dsiam_plugin toolkit
	$(BIN)/python -m pytest -m "not install"

# Damaged files, arguments and peers, and kills, on every reader and writer (docs/reliability.md).
fuzz: $(VENV)/.dev
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --seconds $(SECONDS) $(FUZZ)

# The variable silences an advertisement.
docs: export NO_MKDOCS_2_WARNING := 1
docs: $(VENV)/.docs
	$(BIN)/mkdocs build

weights-named:
	@test -z "$(WEIGHTS)" || test -f "$(WEIGHTS)" || { echo \
	    "make: $(WEIGHTS): no such weights file" >&2; exit 1; }

$(VENV)/.vot: EXTRA := vot,plots
$(VENV)/.dev: EXTRA := dev
$(VENV)/.docs: EXTRA := docs
$(VENV)/.vot $(VENV)/.dev $(VENV)/.docs: pyproject.toml setup.py | $(BIN)/python
	@echo "installing dsiam-plugin[$(EXTRA)] into $(VENV) (a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRA)]'
	@touch $@ $(if $(filter dev,$(EXTRA)),$(VENV)/.vot)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
