## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libconfig_server.a
%C%_libconfig_server_a_SOURCES = \
	%D%/settings.c %D%/settings.h \
	%D%/registry.c %D%/registry.h %D%/registry_view.c \
	%D%/jobs.c %D%/jobs.h %D%/drain.c %D%/drain.h \
	%D%/store.c %D%/store.h %D%/store_open.c %D%/store_jobs.c \
	%D%/store_priv.h %D%/schema.h \
	%D%/node.c %D%/node.h \
	%D%/ask.c %D%/ask.h \
	%D%/api.c %D%/api.h %D%/api_view.c %D%/api_drain.c \
	%D%/api_priv.h \
	%D%/server.c %D%/server.h

sbin_PROGRAMS += %D%/config_server
%C%_config_server_SOURCES = %D%/main.c
%C%_config_server_LDADD = %D%/libconfig_server.a $(shared_libs) $(SQLITE_LIBS)

dist_man_MANS += %D%/config_server.8 %D%/cchat.conf.5 %D%/cchatctl.1

bin_PROGRAMS += %D%/cchatctl
%C%_cchatctl_SOURCES = %D%/ctl/cchatctl.c
%C%_cchatctl_LDADD = %D%/libcchatctl.a $(shared_libs)

noinst_LIBRARIES += %D%/libcchatctl.a
%C%_libcchatctl_a_SOURCES = \
	%D%/ctl/ctl_settings.c %D%/ctl/ctl_settings.h \
	%D%/ctl/ctl_http.c %D%/ctl/ctl_http.h \
	%D%/ctl/ctl_table.c %D%/ctl/ctl_table.h \
	%D%/ctl/ctl_child.c %D%/ctl/ctl_child.h \
	%D%/ctl/ctl_prepare.c %D%/ctl/ctl_prepare.h \
	%D%/ctl/ctl_cluster.c %D%/ctl/ctl_cluster.h \
	%D%/ctl/ctl_cluster_priv.h %D%/ctl/ctl_report.c \
	%D%/ctl/ctl_state.c %D%/ctl/ctl_state.h \
	%D%/ctl/ctl_data.c %D%/ctl/ctl_ask.c %D%/ctl/ctl_ask.h \
	%D%/ctl/ctl_drain.c %D%/ctl/ctl_cmds.c %D%/ctl/ctl_local.c %D%/ctl/tool/verify.c \
	%D%/ctl/tool/tool.c %D%/ctl/tool/tool.h %D%/ctl/tool/bench.c \
	%D%/ctl/tool/import.c %D%/ctl/tool/import_line.c %D%/ctl/tool/import_line.h \
	%D%/ctl/live/as.c %D%/ctl/live/as.h \
	%D%/ctl/live/live.c %D%/ctl/live/live.h %D%/ctl/live/live_reload.c \
	%D%/ctl/live/live_conns.c %D%/ctl/live/live_status.c \
	%D%/ctl/ctl_verbs.h
