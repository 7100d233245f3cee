## Benchmarks: built only when asked for (`make tests/bench/bench_log`), never
## part of `make check`.
EXTRA_PROGRAMS = %D%/bench_log
%C%_bench_log_SOURCES = %D%/bench_log.c
%C%_bench_log_LDADD = proxy_server/libproxy_server.a $(shared_libs) $(SQLITE_LIBS)
