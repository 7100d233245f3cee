## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libconfig_server.a
%C%_libconfig_server_a_SOURCES = \
	%D%/settings.c %D%/settings.h \
	%D%/registry.c %D%/registry.h %D%/registry_view.c \
	%D%/store.c %D%/store.h %D%/store_open.c %D%/store_priv.h %D%/schema.h \
	%D%/node.c %D%/node.h \
	%D%/ask.c %D%/ask.h \
	%D%/api.c %D%/api.h %D%/api_view.c \
	%D%/server.c %D%/server.h

sbin_PROGRAMS += %D%/config_server
%C%_config_server_SOURCES = %D%/main.c
%C%_config_server_LDADD = %D%/libconfig_server.a $(shared_libs) $(SQLITE_LIBS)

dist_man_MANS += %D%/config_server.8 %D%/cchat.conf.5
