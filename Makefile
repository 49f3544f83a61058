PYTHON ?= python3

.PHONY: demo app test lint docs

demo app test lint docs:
	@$(PYTHON) run.py $@
