# Each target sets up .venv first if it must. Without make: the README's lines for Windows do the same.
PYTHON ?= python3
VENV := .venv/bin
READY := .venv/ready

.PHONY: book test lab serve sync links newest bench lock clean

book: $(READY)  ## derive the notebooks, execute the chapters, build the site to _build/html
	$(VENV)/mlcourse book

test: $(READY)  ## run every test
	$(VENV)/python -m pytest

lab: $(READY)  ## open JupyterLab on the notebooks, in reading order
	$(VENV)/jupyter lab --allow-root --LabApp.default_url=/lab/tree/notebooks/index.ipynb

serve: book  ## serve the site on this machine
	$(VENV)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

sync: $(READY)  ## derive notebooks/ and exercises/ from book/ and solutions/
	$(VENV)/mlcourse sync

links: book  ## check where every link of the site leads, also to other hosts
	$(VENV)/mlcourse links --external

newest: $(READY)  ## run every notebook on the newest versions of what it needs, not the locked ones
	$(VENV)/python tools/newest.py

bench: $(READY)  ## measure the grader, beside nbgrader and otter-grader if --setup made their environments
	$(VENV)/python benchmarks/grading.py

lock: $(READY)  ## renew requirements.lock within the ranges of pyproject.toml
	$(VENV)/python tools/lock.py

clean:  ## remove everything that the other targets made
	rm -rf _build .venv node_modules

$(READY): requirements.lock pyproject.toml tools/install.py
	test -x $(VENV)/python || $(PYTHON) -m venv .venv
	$(VENV)/python tools/install.py
	touch $@
