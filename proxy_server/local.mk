## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libproxy_server.a
%C%_libproxy_server_a_SOURCES =

sbin_PROGRAMS += %D%/proxy_server
%C%_proxy_server_SOURCES = %D%/main.c
%C%_proxy_server_LDADD = %D%/libproxy_server.a $(shared_libs) $(SQLITE_LIBS)
