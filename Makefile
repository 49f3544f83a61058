PYTHON ?= python3

.PHONY: demo test lint

demo test lint:
	@$(PYTHON) run.py $@
