# xiao: two commands. Both set up what they need; `make help` lists all.
SHELL := /bin/bash
ARGS ?=
TEST_FEATURES := --features jack,midi-jack
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help play test setup-play setup-test build check
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  options for play go into ARGS: make play ARGS="--stage terminal --seed 7"'

play: build ## install what is missing, build, and play
	@exec $(TARGET)/debug/xiao play $(ARGS)

build: setup-play ## install what is missing and build
	@cargo build --locked --bin xiao $(shell pkg-config --exists jack 2>/dev/null && echo --features jack)

test: setup-test ## install what is missing and run every check and test
	cargo fmt --check
	cargo clippy --locked --all-targets $(TEST_FEATURES) -- -D warnings
	cargo clippy --locked --no-default-features --lib --bins -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps $(TEST_FEATURES)
	cargo test --locked $(TEST_FEATURES)

setup-play:
	@bash .ci/setup play

setup-test:
	@bash .ci/setup test
