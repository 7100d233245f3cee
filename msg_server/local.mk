## The daemon is a library plus main.c, so that tests link what the daemon runs.
noinst_LIBRARIES += %D%/libmsg_server.a
%C%_libmsg_server_a_SOURCES =

sbin_PROGRAMS += %D%/msg_server
%C%_msg_server_SOURCES = %D%/main.c
%C%_msg_server_LDADD = %D%/libmsg_server.a $(shared_libs)
msg_server_libmsg_server_a_SOURCES += \
	%D%/follow/channel.c %D%/follow/channel.h \
	%D%/follow/delivered.c %D%/follow/delivered.h %D%/follow/fanout.c %D%/follow/fanout.h \
	%D%/follow/relay.c %D%/follow/relay.h %D%/follow/relay_calls.c %D%/follow/relay_frames.c \
	%D%/follow/relay_tasks.c \
	%D%/follow/recent.c %D%/follow/recent.h %D%/follow/relay_priv.h %D%/follow/told.c %D%/follow/told.h \
	%D%/follow/watch.c %D%/follow/watch.h \
	%D%/follow/replay.c %D%/follow/replay.h \
	%D%/follow/replay_page.c %D%/follow/replay_priv.h \
	%D%/follow/room.c %D%/follow/room_people.c %D%/follow/room_title.c %D%/follow/room_title.h \
	%D%/follow/room_priv.h %D%/follow/room.h %D%/follow/user.c

msg_server_libmsg_server_a_SOURCES += %D%/follow/turn.c %D%/follow/turn.h
## uploads
msg_server_libmsg_server_a_SOURCES += \
	%D%/upload/key.c %D%/upload/key.h %D%/upload/kind.c %D%/upload/kind.h \
	%D%/upload/range.c %D%/upload/range.h %D%/upload/hot.c %D%/upload/hot.h \
	%D%/upload/name.c %D%/upload/name.h %D%/upload/quota.c %D%/upload/quota.h \
	%D%/upload/store.c %D%/upload/store.h %D%/upload/store_priv.h %D%/upload/store_sweep.c \
	%D%/upload/upload.c %D%/upload/upload.h %D%/upload/upload_priv.h \
	%D%/upload/near.c %D%/upload/near.h %D%/upload/upload_form.c %D%/upload/upload_job.c \
	%D%/upload/upload_post.c %D%/upload/upload_serve.c %D%/upload/upload_who.c
msg_server_libmsg_server_a_SOURCES += %D%/dialect/cchat_fast.c %D%/dialect/cchat_group.c
msg_server_libmsg_server_a_SOURCES += %D%/dialect/meteor.c \
	%D%/door/meteor_api.c %D%/door/meteor_api.h \
	%D%/door/meteor_api_ask.c %D%/door/meteor_priv.h \
	%D%/door/api_groups.c

dist_man_MANS += %D%/msg_server.8
msg_server_libmsg_server_a_SOURCES += \
	%D%/door/api.c %D%/door/api.h %D%/door/api_priv.h %D%/door/api_ask.c \
	%D%/door/api_send.c %D%/door/api_title.c %D%/door/api_many.c %D%/door/api_kick.c \
	%D%/door/connections.c %D%/door/connections.h %D%/auth.c %D%/auth.h \
	%D%/client.c %D%/client.h %D%/client_out.c %D%/client_priv.h \
	%D%/client_time.c %D%/command.c %D%/command.h %D%/event.h \
	%D%/drain.c %D%/drain.h %D%/gate.c %D%/gate.h \
	%D%/newest.c %D%/newest.h \
	%D%/groups.c %D%/groups_in.c %D%/groups_list.c %D%/groups.h \
	%D%/inbox.c %D%/inbox.h %D%/marks.c %D%/marks.h \
	%D%/move_key.c %D%/move_key.h %D%/reload.c %D%/reload.h \
	%D%/reply.c %D%/reply.h %D%/server.c %D%/server.h \
	%D%/session.c %D%/session.h %D%/settings.c %D%/settings.h \
	%D%/door/static.c %D%/door/static.h %D%/door/door.c %D%/door/door.h \
	%D%/door/front.c %D%/door/front.h \
	%D%/cmd/asker.c %D%/cmd/asker.h %D%/cmd/cmd_get_history.c \
	%D%/cmd/cmd_get_online.c %D%/cmd/cmd_inbox.c %D%/cmd/cmd_join.c %D%/cmd/cmd_leave.c \
	%D%/cmd/cmd_login.c %D%/cmd/login_who.c %D%/cmd/login_who.h %D%/cmd/cmd_mark.c %D%/cmd/cmd_item.c %D%/cmd/cmd_message.c %D%/cmd/cmd_message_send.c %D%/cmd/cmd_message_send.h \
	%D%/cmd/cmd_message_to.c %D%/cmd/cmd_message_to.h \
	%D%/cmd/cmd_session.c %D%/cmd/cmd_watch.c \
	%D%/dialect/cchat.c %D%/dialect/cchat_encode.c \
	%D%/dialect/cchat_priv.h %D%/dialect/cchat_v1.c \
	%D%/dialect/cchat_item.c %D%/dialect/cchat_v2.c %D%/dialect/cchat_v2_item.c %D%/dialect/dialect.c %D%/dialect/dialect.h
msg_server_libmsg_server_a_SOURCES += \
	%D%/dialect/number.c %D%/dialect/number.h \
	%D%/dialect/php_text.c %D%/dialect/php_text.h
msg_server_libmsg_server_a_SOURCES += %D%/dialect/webim.c \
	%D%/dialect/webim_encode.c %D%/dialect/webim_priv.h \
	%D%/door/webim/comet.c %D%/door/webim/comet.h \
	%D%/door/webim/webim.c %D%/door/webim/webim.h
msg_server_libmsg_server_a_SOURCES += %D%/dialect/workerman.c

## GatewayClients
msg_server_libmsg_server_a_SOURCES += \
	%D%/door/gateway/gateway.c %D%/door/gateway/gateway.h %D%/door/gateway/gateway_priv.h \
	%D%/door/gateway/gateway_array.c %D%/door/gateway/gateway_cmd.c \
	%D%/door/gateway/gateway_do.c %D%/door/gateway/gateway_push.c \
	%D%/door/gateway/gateway_set.c %D%/door/gateway/people.c %D%/door/gateway/people.h \
	%D%/door/gateway/register.c %D%/door/gateway/register.h
## back ends and credentials of sok
msg_server_libmsg_server_a_SOURCES += \
	%D%/dialect/sok.c %D%/push/api_credentials.c %D%/push/api_credentials.h \
	%D%/push/credentials.c %D%/push/credentials.h \
	%D%/push/http.c %D%/push/http.h %D%/push/login.c %D%/push/login.h %D%/push/peers.c %D%/push/peers.h \
	%D%/push/send.c %D%/push/send.h %D%/push/udp.c %D%/push/udp.h %D%/push/udp_many.c %D%/push/udp_priv.h
## who types and who has read
msg_server_libmsg_server_a_SOURCES += %D%/follow/typing.c %D%/follow/typing.h \
	%D%/cmd/cmd_typing.c %D%/cmd/cmd_mark_get.c %D%/dialect/cchat_seen.c %D%/marks_group.c
