## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libmsg_server.a
%C%_libmsg_server_a_SOURCES =

sbin_PROGRAMS += %D%/msg_server
%C%_msg_server_SOURCES = %D%/main.c
%C%_msg_server_LDADD = %D%/libmsg_server.a $(shared_libs)
msg_server_libmsg_server_a_SOURCES += \
	%D%/channel.c %D%/channel.h %D%/fanout.c %D%/fanout.h \
	%D%/relay.c %D%/relay.h %D%/relay_calls.c %D%/relay_priv.h \
	%D%/replay.c %D%/replay.h %D%/room.c %D%/room.h %D%/user.c

dist_man_MANS += %D%/msg_server.8
