# For people; the build itself is CMake with Ninja (CMakePresets.json).
#
#   make          the program that users get: build/release/krait
#   make run      build it and walk through the language (examples/tour.py)
#   make test     build what the tests need and run them all (BUILD=asan: there)
#   make dev | asan | ubsan | stress      other builds, in build/<name>
#   make install PREFIX=/usr/local
#
# What is missing on the machine is installed first (tools/deps says what).

PRESETS := dev asan ubsan stress
PREFIX ?= /usr/local
BUILD ?= dev

.PHONY: all release run test deps install clean $(PRESETS)

all: release

deps:
	@tools/deps

release: deps
	@tools/build-release

$(PRESETS): deps
	@cmake --preset $@ > build/$@.configure.log 2>&1 || { cat build/$@.configure.log; exit 1; }
	@cmake --build --preset $@

run: release
	@build/release/krait examples/tour.py

test: $(BUILD)
	@cmake --build --preset $(BUILD) --target unit_tests fuzzers libpython
	@/usr/bin/python3.11 tests/run.py --build $(BUILD)

install: release
	@cmake --build build/release --target libpython
	@cmake --install build/release --prefix "$(PREFIX)"

clean:
	rm -rf build
