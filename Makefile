# make demo   simulate a room, train on it, start the node, replay a lap it has never seen
# make test   the whole test suite
#
# Both make their own environment in .venv; nothing else on the machine is touched.
# TORCH_BACKEND=cpu takes torch's small CPU build (from download.pytorch.org) in place of the CUDA one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUTPUT ?= demo
UV_FLAGS := $(if $(TORCH_BACKEND),--torch-backend=$(TORCH_BACKEND))

.PHONY: demo test lint environment clean

demo: environment
	$(BIN)/python -m posenet_ros demo --output $(OUTPUT)

test: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2 --dist loadscope

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

environment: $(VENV)/installed

$(VENV)/installed: setup.py setup.cfg test/tools/build_tf2_msgs.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "posenet_ros needs Python 3.10 or newer: make PYTHON=python3.11 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet 'uv>=0.5'
	$(BIN)/uv pip install --python $(BIN)/python $(UV_FLAGS) --editable '.[ros,test]'
	$(BIN)/python test/tools/build_tf2_msgs.py
	@touch $@

clean:
	rm -rf $(VENV) build install log *.egg-info
