## Fuzz targets: libFuzzer with --enable-fuzzing, else replay.c eats the corpus in `make check`.
fuzz_tests =
check_PROGRAMS += $(fuzz_tests)
if FUZZING
fuzz_ldflags = -fsanitize=fuzzer
fuzz_replay =
else
fuzz_ldflags =
fuzz_replay = tests/fuzz/replay.c
endif
