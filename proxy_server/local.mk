## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libproxy_server.a
%C%_libproxy_server_a_SOURCES =

%C%_libproxy_server_a_SOURCES += \
	%D%/log.c %D%/log_ends.c %D%/log_op.c %D%/log.h %D%/log_priv.h \
	%D%/log_dir.c %D%/log_dir.h \
	%D%/log_sqlite.c %D%/log_sqlite_row.c %D%/log_sqlite_item.c \
	%D%/log_sqlite_wal.c %D%/log_sqlite.h %D%/log_sqlite_priv.h \
	%D%/log_wal.c %D%/log_wal.h \
	%D%/log_chan.c %D%/log_chan.h \
	%D%/log_commit.c %D%/log_commit.h %D%/log_ref.c %D%/log_ref.h \
	%D%/log_history.c %D%/log_history.h \
	%D%/log_trim.c %D%/log_trim.h \
	%D%/log_page.c %D%/log_page.h \
	%D%/log_ring.c %D%/log_ring.h \
	%D%/log_inbox.c %D%/log_inbox.h \
	%D%/log_states.c %D%/log_states.h \
	%D%/log_backup.c %D%/log_restore.c %D%/log_backup.h \
	%D%/writer.c %D%/writer.h \
	%D%/reader.c %D%/reader.h \
	%D%/standby.c %D%/standby.h

%C%_libproxy_server_a_SOURCES += \
	%D%/settings.c %D%/settings.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/peer.c %D%/peer.h \
	%D%/route.c %D%/route_follow.c %D%/route.h %D%/route_priv.h \
	%D%/presence.c %D%/presence_keep.c %D%/presence_room.c \
	%D%/presence_watch.c %D%/presence_gone.c \
	%D%/presence_who.c \
	%D%/presence.h %D%/presence_priv.h \
	%D%/backup.c %D%/backup.h \
	%D%/status.c

sbin_PROGRAMS += %D%/proxy_server
%C%_proxy_server_SOURCES = %D%/main.c
%C%_proxy_server_LDADD = %D%/libproxy_server.a $(shared_libs) $(SQLITE_LIBS)

dist_man_MANS += %D%/proxy_server.8
