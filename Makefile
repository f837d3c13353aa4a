# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Each target sets up what it needs in .venv; stamp files remember what was done,
# so that nothing touches the network twice.

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
CONTROLLER := $(VENV)/.controller
DEV := $(VENV)/.dev

# make audit INVENTORY=hosts.yml REPORT=/srv/report ARGS='--limit web*'
INVENTORY ?= inventory/localhost.yml
REPORT ?= report
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup audit test lint units integration molecule kernels benchmark docs clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo "make audit INVENTORY=hosts.yml REPORT=folder ARGS='--limit web*'   audits a fleet"
	@echo "make test CHECKS='units lint'                                      runs some checks only"

$(CONTROLLER): requirements.txt tools/setup_venv.sh
	@tools/setup_venv.sh requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(CONTROLLER)
	@tools/setup_venv.sh requirements.txt requirements-dev.txt
	@touch $@

setup: $(DEV) ## Install everything for work on the collection into .venv

audit: $(CONTROLLER) ## Audit this machine, or the hosts of INVENTORY=
	@tools/link_collection.sh
	@ANSIBLE_STDOUT_CALLBACK=tcpops.timewait.audit $(BIN)/ansible-playbook tcpops.timewait.audit \
		-i '$(INVENTORY)' -e 'timewait_report_dir=$(abspath $(REPORT))' $(ARGS)

test: $(DEV) ## Run every check and say what ran and what could not
	@$(BIN)/python tools/run_checks.py $(CHECKS)

lint: $(DEV) ## Static checks
	@$(BIN)/python tools/run_checks.py lint

units: $(DEV) ## Unit tests and fuzzing
	@$(BIN)/python tools/run_checks.py units

integration: $(DEV) ## Namespaces, browser, packaging, host Pythons
	@$(BIN)/python tools/run_checks.py integration

molecule: $(DEV) ## Scenarios on systemd containers and on two kernels
	@$(BIN)/python tools/run_checks.py molecule

kernels: $(DEV) ## Ask every kernel of the matrix, and write docs/kernel-matrix.md
	@$(BIN)/python tools/run_checks.py kernels

benchmark: $(DEV) ## Measure the census and the audit; needs root
	@$(BIN)/python tests/benchmark/run.py $(ARGS)

docs: $(DEV) ## Generate the reference, the rules and the READMEs of roles
	@tools/generate_docs.sh

clean: ## Remove everything that the tools made
	rm -rf .cache $(VENV) report tests/output tcpops-timewait-*.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
