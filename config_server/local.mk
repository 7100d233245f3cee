## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libconfig_server.a
%C%_libconfig_server_a_SOURCES =

sbin_PROGRAMS += %D%/config_server
%C%_config_server_SOURCES = %D%/main.c
%C%_config_server_LDADD = %D%/libconfig_server.a $(shared_libs) $(SQLITE_LIBS)
