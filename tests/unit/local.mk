## Unit tests mirror the tree: tests/unit/shared/base/test_buf.c tests shared/base/buf.
## A test is three lines here: its name in unit_tests, its _SOURCES, its _LDADD.
unit_tests =
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

unit_tests += %D%/msg_server/follow/test_channel
%C%_msg_server_follow_test_channel_SOURCES = %D%/msg_server/follow/test_channel.c \
	%D%/msg_server/follow/channel_fixture.h \
	%D%/msg_server/follow/fake_relay.h
%C%_msg_server_follow_test_channel_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_room
%C%_msg_server_follow_test_room_SOURCES = %D%/msg_server/follow/test_room.c \
	%D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_room_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_watch
%C%_msg_server_follow_test_watch_SOURCES = %D%/msg_server/follow/test_watch.c \
	%D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_watch_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_typing
%C%_msg_server_follow_test_typing_SOURCES = %D%/msg_server/follow/test_typing.c \
	%D%/msg_server/core_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_follow_test_typing_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_people
%C%_msg_server_follow_test_people_SOURCES = %D%/msg_server/follow/test_people.c \
	%D%/msg_server/core_fixture.h %D%/msg_server/core_relay.h
%C%_msg_server_follow_test_people_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_sizes
%C%_msg_server_test_sizes_SOURCES = %D%/msg_server/test_sizes.c
%C%_msg_server_test_sizes_LDADD = $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_told
%C%_msg_server_follow_test_told_SOURCES = %D%/msg_server/follow/test_told.c
%C%_msg_server_follow_test_told_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_delivered
%C%_msg_server_follow_test_delivered_SOURCES = %D%/msg_server/follow/test_delivered.c \
	%D%/msg_server/core_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_follow_test_delivered_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_newest
%C%_msg_server_test_newest_SOURCES = %D%/msg_server/test_newest.c
%C%_msg_server_test_newest_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_groups
%C%_msg_server_test_groups_SOURCES = %D%/msg_server/test_groups.c \
	%D%/msg_server/groups_fixture.h
%C%_msg_server_test_groups_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_inbox
%C%_msg_server_test_inbox_SOURCES = %D%/msg_server/test_inbox.c
%C%_msg_server_test_inbox_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_relay
%C%_msg_server_follow_test_relay_SOURCES = %D%/msg_server/follow/test_relay.c \
	%D%/msg_server/follow/relay_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_follow_test_relay_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_relay_calls
%C%_msg_server_follow_test_relay_calls_SOURCES = %D%/msg_server/follow/test_relay_calls.c \
	%D%/msg_server/follow/relay_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_follow_test_relay_calls_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_replay
%C%_msg_server_follow_test_replay_SOURCES = %D%/msg_server/follow/test_replay.c \
	%D%/msg_server/follow/replay_fixture.h %D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_replay_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_replay_recall
%C%_msg_server_follow_test_replay_recall_SOURCES = %D%/msg_server/follow/test_replay_recall.c \
	%D%/msg_server/follow/replay_fixture.h %D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_replay_recall_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_replay_random
%C%_msg_server_follow_test_replay_random_SOURCES = %D%/msg_server/follow/test_replay_random.c \
	%D%/msg_server/follow/replay_fixture.h %D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_replay_random_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_recent
%C%_msg_server_follow_test_recent_SOURCES = %D%/msg_server/follow/test_recent.c \
	%D%/msg_server/follow/replay_fixture.h %D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_recent_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_turn
%C%_msg_server_follow_test_turn_SOURCES = %D%/msg_server/follow/test_turn.c \
	%D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_turn_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/follow/test_fanout
%C%_msg_server_follow_test_fanout_SOURCES = %D%/msg_server/follow/test_fanout.c \
	%D%/msg_server/core_fixture.h
%C%_msg_server_follow_test_fanout_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_drain
%C%_msg_server_test_drain_SOURCES = %D%/msg_server/test_drain.c \
	%D%/msg_server/drain_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_test_drain_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_drain_job
%C%_msg_server_test_drain_job_SOURCES = %D%/msg_server/test_drain_job.c \
	%D%/msg_server/drain_fixture.h %D%/shared/net/fixture.h
%C%_msg_server_test_drain_job_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_move_key
%C%_msg_server_test_move_key_SOURCES = %D%/msg_server/test_move_key.c
%C%_msg_server_test_move_key_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/shared/net/test_addr
%C%_shared_net_test_addr_SOURCES = %D%/shared/net/test_addr.c
%C%_shared_net_test_addr_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_conn
%C%_shared_net_test_conn_SOURCES = %D%/shared/net/test_conn.c \
	%D%/shared/net/fixture.h %D%/shared/net/owner.h
%C%_shared_net_test_conn_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_conn_life
%C%_shared_net_test_conn_life_SOURCES = %D%/shared/net/test_conn_life.c \
	%D%/shared/net/fixture.h %D%/shared/net/owner.h
%C%_shared_net_test_conn_life_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_conn_queue
%C%_shared_net_test_conn_queue_SOURCES = %D%/shared/net/test_conn_queue.c \
	%D%/shared/net/fixture.h %D%/shared/net/owner.h
%C%_shared_net_test_conn_queue_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_dial
%C%_shared_net_test_dial_SOURCES = %D%/shared/net/test_dial.c \
	%D%/shared/net/fixture.h
%C%_shared_net_test_dial_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_listener
%C%_shared_net_test_listener_SOURCES = %D%/shared/net/test_listener.c \
	%D%/shared/net/fixture.h
%C%_shared_net_test_listener_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_timer
%C%_shared_net_test_timer_SOURCES = %D%/shared/net/test_timer.c \
	%D%/shared/net/fixture.h
%C%_shared_net_test_timer_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_turn
%C%_shared_net_test_turn_SOURCES = %D%/shared/net/test_turn.c \
	%D%/shared/net/fixture.h %D%/shared/net/owner.h
%C%_shared_net_test_turn_LDADD = $(unit_ldadd)

unit_tests += %D%/shared/base/test_buf
%C%_shared_base_test_buf_SOURCES = %D%/shared/base/test_buf.c
%C%_shared_base_test_buf_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_id
%C%_shared_base_test_id_SOURCES = %D%/shared/base/test_id.c
%C%_shared_base_test_id_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_utf8
%C%_shared_base_test_utf8_SOURCES = %D%/shared/base/test_utf8.c
%C%_shared_base_test_utf8_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_digest
%C%_shared_base_test_digest_SOURCES = %D%/shared/base/test_digest.c
%C%_shared_base_test_digest_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proc/test_conf
%C%_shared_proc_test_conf_SOURCES = %D%/shared/proc/test_conf.c \
	%D%/shared/proc/child.h
%C%_shared_proc_test_conf_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proc/test_log
%C%_shared_proc_test_log_SOURCES = %D%/shared/proc/test_log.c \
	%D%/shared/proc/child.h
%C%_shared_proc_test_log_LDADD = $(unit_ldadd)

unit_tests += %D%/shared/proto/test_http
%C%_shared_proto_test_http_SOURCES = %D%/shared/proto/test_http.c
%C%_shared_proto_test_http_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_json
%C%_shared_proto_test_json_SOURCES = %D%/shared/proto/test_json.c
%C%_shared_proto_test_json_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_ws
%C%_shared_proto_test_ws_SOURCES = %D%/shared/proto/test_ws.c \
	%D%/shared/proto/ws_fixture.h
%C%_shared_proto_test_ws_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_ws_out
%C%_shared_proto_test_ws_out_SOURCES = %D%/shared/proto/test_ws_out.c
%C%_shared_proto_test_ws_out_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_ws_state
%C%_shared_proto_test_ws_state_SOURCES = %D%/shared/proto/test_ws_state.c \
	%D%/shared/proto/ws_fixture.h
%C%_shared_proto_test_ws_state_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_sip
%C%_shared_base_test_sip_SOURCES = %D%/shared/base/test_sip.c
%C%_shared_base_test_sip_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_seal
%C%_shared_base_test_seal_SOURCES = %D%/shared/base/test_seal.c
%C%_shared_base_test_seal_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_err
%C%_shared_base_test_err_SOURCES = %D%/shared/base/test_err.c
%C%_shared_base_test_err_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_str
%C%_shared_base_test_str_SOURCES = %D%/shared/base/test_str.c
%C%_shared_base_test_str_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_blob
%C%_shared_base_test_blob_SOURCES = %D%/shared/base/test_blob.c
%C%_shared_base_test_blob_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_map
%C%_shared_base_test_map_SOURCES = %D%/shared/base/test_map.c
%C%_shared_base_test_map_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_table
%C%_shared_base_test_table_SOURCES = %D%/shared/base/test_table.c
%C%_shared_base_test_table_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/base/test_slab
%C%_shared_base_test_slab_SOURCES = %D%/shared/base/test_slab.c
%C%_shared_base_test_slab_LDADD = $(unit_ldadd)

unit_tests += %D%/shared/proto/test_wire
%C%_shared_proto_test_wire_SOURCES = %D%/shared/proto/test_wire.c
%C%_shared_proto_test_wire_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_link
%C%_shared_proto_test_link_SOURCES = %D%/shared/proto/test_link.c
%C%_shared_proto_test_link_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_frames_state
%C%_shared_proto_test_frames_state_SOURCES = %D%/shared/proto/test_frames_state.c
%C%_shared_proto_test_frames_state_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_frames
%C%_shared_proto_test_frames_SOURCES = %D%/shared/proto/test_frames.c \
	%D%/shared/proto/frames_codecs.h
%C%_shared_proto_test_frames_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/svc/test_linkconn
%C%_shared_svc_test_linkconn_SOURCES = %D%/shared/svc/test_linkconn.c \
	%D%/shared/net/fixture.h
%C%_shared_svc_test_linkconn_LDADD = $(unit_ldadd)

unit_tests += %D%/shared/svc/test_httpd
%C%_shared_svc_test_httpd_SOURCES = %D%/shared/svc/test_httpd.c \
	%D%/shared/svc/httpd_fixture.h %D%/shared/net/fixture.h
%C%_shared_svc_test_httpd_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/svc/test_httpd_room
%C%_shared_svc_test_httpd_room_SOURCES = %D%/shared/svc/test_httpd_room.c \
	%D%/shared/svc/httpd_fixture.h %D%/shared/net/fixture.h
%C%_shared_svc_test_httpd_room_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/svc/test_admin
%C%_shared_svc_test_admin_SOURCES = %D%/shared/svc/test_admin.c \
	%D%/shared/net/fixture.h
%C%_shared_svc_test_admin_LDADD = $(unit_ldadd)

## The log: messages.db and its threads.
log_ldadd = proxy_server/libproxy_server.a $(unit_ldadd) $(SQLITE_LIBS)
unit_tests += %D%/proxy_server/test_log
%C%_proxy_server_test_log_SOURCES = %D%/proxy_server/test_log.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_file
%C%_proxy_server_test_log_file_SOURCES = %D%/proxy_server/test_log_file.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_file_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_read
%C%_proxy_server_test_log_read_SOURCES = %D%/proxy_server/test_log_read.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_read_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_inbox
%C%_proxy_server_test_log_inbox_SOURCES = %D%/proxy_server/test_log_inbox.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_inbox_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_states
%C%_proxy_server_test_log_states_SOURCES = %D%/proxy_server/test_log_states.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_states_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_history
%C%_proxy_server_test_log_history_SOURCES = %D%/proxy_server/test_log_history.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_history_LDADD = $(log_ldadd)

unit_tests += %D%/proxy_server/test_log_disk
%C%_proxy_server_test_log_disk_SOURCES = %D%/proxy_server/test_log_disk.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_disk_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_backup
%C%_proxy_server_test_log_backup_SOURCES = \
	%D%/proxy_server/test_log_backup.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_backup_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_ref
%C%_proxy_server_test_log_ref_SOURCES = %D%/proxy_server/test_log_ref.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_ref_LDADD = $(log_ldadd)

unit_tests += %D%/proxy_server/test_log_ring
%C%_proxy_server_test_log_ring_SOURCES = %D%/proxy_server/test_log_ring.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_ring_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_chan
%C%_proxy_server_test_log_chan_SOURCES = %D%/proxy_server/test_log_chan.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_chan_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_log_wal
%C%_proxy_server_test_log_wal_SOURCES = %D%/proxy_server/test_log_wal.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_log_wal_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_standby
%C%_proxy_server_test_standby_SOURCES = %D%/proxy_server/test_standby.c \
	%D%/proxy_server/log_fixture.c %D%/proxy_server/log_fixture.h
%C%_proxy_server_test_standby_LDADD = $(log_ldadd)
unit_tests += %D%/shared/proc/test_daemon
%C%_shared_proc_test_daemon_SOURCES = %D%/shared/proc/test_daemon.c \
	%D%/shared/proc/child.h
%C%_shared_proc_test_daemon_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proc/test_clock
%C%_shared_proc_test_clock_SOURCES = %D%/shared/proc/test_clock.c
%C%_shared_proc_test_clock_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proc/test_stats
%C%_shared_proc_test_stats_SOURCES = %D%/shared/proc/test_stats.c
%C%_shared_proc_test_stats_LDADD = $(unit_ldadd)

## Links, routing and presence: on a log that the test plays.
unit_tests += %D%/proxy_server/test_presence
%C%_proxy_server_test_presence_SOURCES = %D%/proxy_server/test_presence.c \
	%D%/proxy_server/presence_fixture.h %D%/shared/net/fixture.h
%C%_proxy_server_test_presence_LDADD = proxy_server/libproxy_server.a $(unit_ldadd)
unit_tests += %D%/proxy_server/test_presence_watch
%C%_proxy_server_test_presence_watch_SOURCES = \
	%D%/proxy_server/test_presence_watch.c \
	%D%/proxy_server/presence_fixture.h %D%/shared/net/fixture.h
%C%_proxy_server_test_presence_watch_LDADD = proxy_server/libproxy_server.a $(unit_ldadd)
unit_tests += %D%/proxy_server/test_presence_who
%C%_proxy_server_test_presence_who_SOURCES = \
	%D%/proxy_server/test_presence_who.c \
	%D%/proxy_server/presence_fixture.h %D%/shared/net/fixture.h
%C%_proxy_server_test_presence_who_LDADD = proxy_server/libproxy_server.a $(unit_ldadd)
unit_tests += %D%/proxy_server/test_presence_sizes
%C%_proxy_server_test_presence_sizes_SOURCES = \
	%D%/proxy_server/test_presence_sizes.c \
	%D%/proxy_server/presence_fixture.h %D%/shared/net/fixture.h
%C%_proxy_server_test_presence_sizes_LDADD = proxy_server/libproxy_server.a $(unit_ldadd)
proxy_fixture = %D%/proxy_server/proxy_fixture.c \
	%D%/proxy_server/proxy_fixture.h %D%/shared/net/fixture.h
fake_log = %D%/proxy_server/fake_log.c %D%/proxy_server/fake_log.h
unit_tests += %D%/proxy_server/test_route
%C%_proxy_server_test_route_SOURCES = %D%/proxy_server/test_route.c \
	$(proxy_fixture) $(fake_log)
%C%_proxy_server_test_route_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_peer
%C%_proxy_server_test_peer_SOURCES = %D%/proxy_server/test_peer.c \
	$(proxy_fixture) $(fake_log)
%C%_proxy_server_test_peer_LDADD = $(log_ldadd)
unit_tests += %D%/proxy_server/test_proxy
%C%_proxy_server_test_proxy_SOURCES = %D%/proxy_server/test_proxy.c \
	$(proxy_fixture)
%C%_proxy_server_test_proxy_LDADD = $(log_ldadd)

## The config_server, its store and its tool; a whole one with its daemons on one loop.
unit_tests += %D%/shared/svc/test_topology
%C%_shared_svc_test_topology_SOURCES = %D%/shared/svc/test_topology.c \
	%D%/shared/net/fixture.h
%C%_shared_svc_test_topology_LDADD = $(unit_ldadd)
config_ldadd = config_server/libconfig_server.a $(unit_ldadd) $(SQLITE_LIBS)
unit_tests += %D%/config_server/test_registry
%C%_config_server_test_registry_SOURCES = %D%/config_server/test_registry.c
%C%_config_server_test_registry_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_store
%C%_config_server_test_store_SOURCES = %D%/config_server/test_store.c
%C%_config_server_test_store_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_api
%C%_config_server_test_api_SOURCES = %D%/config_server/test_api.c
%C%_config_server_test_api_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_server
%C%_config_server_test_server_SOURCES = %D%/config_server/test_server.c \
	%D%/config_server/config_fixture.h %D%/shared/net/fixture.h
%C%_config_server_test_server_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_drain
%C%_config_server_test_drain_SOURCES = %D%/config_server/test_drain.c \
	%D%/config_server/config_fixture.h %D%/shared/net/fixture.h
%C%_config_server_test_drain_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_jobs
%C%_config_server_test_jobs_SOURCES = %D%/config_server/test_jobs.c
%C%_config_server_test_jobs_LDADD = $(config_ldadd)
unit_tests += %D%/config_server/test_table
%C%_config_server_test_table_SOURCES = %D%/config_server/test_table.c
%C%_config_server_test_table_LDADD = config_server/libcchatctl.a $(unit_ldadd)
unit_tests += %D%/config_server/test_as
%C%_config_server_test_as_SOURCES = %D%/config_server/test_as.c
%C%_config_server_test_as_LDADD = config_server/libcchatctl.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_auth
%C%_msg_server_test_auth_SOURCES = %D%/msg_server/test_auth.c
%C%_msg_server_test_auth_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_command
%C%_msg_server_test_command_SOURCES = %D%/msg_server/test_command.c
%C%_msg_server_test_command_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_session
%C%_msg_server_test_session_SOURCES = %D%/msg_server/test_session.c
%C%_msg_server_test_session_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/door/test_static
%C%_msg_server_door_test_static_SOURCES = %D%/msg_server/door/test_static.c
%C%_msg_server_door_test_static_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_dialect_cchat
%C%_msg_server_test_dialect_cchat_SOURCES = \
	%D%/msg_server/test_dialect_cchat.c %D%/msg_server/cchat_fixture.h
%C%_msg_server_test_dialect_cchat_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_dialect_cchat_events
%C%_msg_server_test_dialect_cchat_events_SOURCES = \
	%D%/msg_server/test_dialect_cchat_events.c %D%/msg_server/cchat_fixture.h
%C%_msg_server_test_dialect_cchat_events_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_client
%C%_msg_server_test_client_SOURCES = \
	%D%/msg_server/test_client.c %D%/msg_server/client_fixture.h
%C%_msg_server_test_client_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_client_out
%C%_msg_server_test_client_out_SOURCES = \
	%D%/msg_server/test_client_out.c %D%/msg_server/client_fixture.h
%C%_msg_server_test_client_out_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_login
%C%_msg_server_test_login_SOURCES = %D%/msg_server/test_login.c \
	%D%/msg_server/login_fixture.h
%C%_msg_server_test_login_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_login_who
%C%_msg_server_test_login_who_SOURCES = %D%/msg_server/test_login_who.c \
	%D%/msg_server/login_fixture.h
%C%_msg_server_test_login_who_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/test_item
%C%_msg_server_test_item_SOURCES = %D%/msg_server/test_item.c \
	%D%/msg_server/asker_fixture.h
%C%_msg_server_test_item_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/follow/test_room_title
%C%_msg_server_follow_test_room_title_SOURCES = %D%/msg_server/follow/test_room_title.c
%C%_msg_server_follow_test_room_title_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_message
%C%_msg_server_test_message_SOURCES = %D%/msg_server/test_message.c \
	%D%/msg_server/asker_fixture.h
%C%_msg_server_test_message_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_get_history
%C%_msg_server_test_get_history_SOURCES = %D%/msg_server/test_get_history.c \
	%D%/msg_server/asker_fixture.h
%C%_msg_server_test_get_history_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_mark_get
%C%_msg_server_test_mark_get_SOURCES = %D%/msg_server/test_mark_get.c \
	%D%/msg_server/asker_fixture.h
%C%_msg_server_test_mark_get_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_marks
%C%_msg_server_test_marks_SOURCES = %D%/msg_server/test_marks.c
%C%_msg_server_test_marks_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

unit_tests += %D%/msg_server/door/test_people
%C%_msg_server_door_test_people_SOURCES = %D%/msg_server/door/test_people.c
%C%_msg_server_door_test_people_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/door/test_api
%C%_msg_server_door_test_api_SOURCES = %D%/msg_server/door/test_api.c
%C%_msg_server_door_test_api_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_number
%C%_msg_server_dialect_test_number_SOURCES = %D%/msg_server/dialect/test_number.c
%C%_msg_server_dialect_test_number_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_php_text
%C%_msg_server_dialect_test_php_text_SOURCES = %D%/msg_server/dialect/test_php_text.c
%C%_msg_server_dialect_test_php_text_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_webim
%C%_msg_server_dialect_test_webim_SOURCES = %D%/msg_server/dialect/test_webim.c
%C%_msg_server_dialect_test_webim_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/shared/proto/test_php
%C%_shared_proto_test_php_SOURCES = %D%/shared/proto/test_php.c
%C%_shared_proto_test_php_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_push
%C%_shared_proto_test_push_SOURCES = %D%/shared/proto/test_push.c
%C%_shared_proto_test_push_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/net/test_dgram
%C%_shared_net_test_dgram_SOURCES = %D%/shared/net/test_dgram.c \
	%D%/shared/net/fixture.h
%C%_shared_net_test_dgram_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/proto/test_gateway
%C%_shared_proto_test_gateway_SOURCES = %D%/shared/proto/test_gateway.c
%C%_shared_proto_test_gateway_LDADD = $(unit_ldadd)
unit_tests += %D%/msg_server/test_credentials
%C%_msg_server_test_credentials_SOURCES = %D%/msg_server/test_credentials.c
%C%_msg_server_test_credentials_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_meteor
%C%_msg_server_dialect_test_meteor_SOURCES = %D%/msg_server/dialect/test_meteor.c
%C%_msg_server_dialect_test_meteor_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_cchat_item
%C%_msg_server_dialect_test_cchat_item_SOURCES = \
	%D%/msg_server/dialect/test_cchat_item.c %D%/msg_server/cchat_fixture.h
%C%_msg_server_dialect_test_cchat_item_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_workerman
%C%_msg_server_dialect_test_workerman_SOURCES = %D%/msg_server/dialect/test_workerman.c
%C%_msg_server_dialect_test_workerman_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/config_server/test_import_line
%C%_config_server_test_import_line_SOURCES = %D%/config_server/test_import_line.c
%C%_config_server_test_import_line_LDADD = config_server/libcchatctl.a $(unit_ldadd)
unit_tests += %D%/msg_server/dialect/test_sok
%C%_msg_server_dialect_test_sok_SOURCES = %D%/msg_server/dialect/test_sok.c
%C%_msg_server_dialect_test_sok_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/test_udp
%C%_msg_server_test_udp_SOURCES = %D%/msg_server/test_udp.c \
	%D%/msg_server/udp_fixture.h
%C%_msg_server_test_udp_LDADD = msg_server/libmsg_server.a $(unit_ldadd)

## uploads
unit_tests += %D%/msg_server/upload/test_kind
%C%_msg_server_upload_test_kind_SOURCES = %D%/msg_server/upload/test_kind.c
%C%_msg_server_upload_test_kind_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_upload_name
%C%_msg_server_upload_test_upload_name_SOURCES = %D%/msg_server/upload/test_upload_name.c
%C%_msg_server_upload_test_upload_name_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_near
%C%_msg_server_upload_test_near_SOURCES = %D%/msg_server/upload/test_near.c
%C%_msg_server_upload_test_near_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/shared/proto/test_multipart
%C%_shared_proto_test_multipart_SOURCES = %D%/shared/proto/test_multipart.c
%C%_shared_proto_test_multipart_LDADD = $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_range
%C%_msg_server_upload_test_range_SOURCES = %D%/msg_server/upload/test_range.c
%C%_msg_server_upload_test_range_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_hot
%C%_msg_server_upload_test_hot_SOURCES = %D%/msg_server/upload/test_hot.c
%C%_msg_server_upload_test_hot_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_quota
%C%_msg_server_upload_test_quota_SOURCES = %D%/msg_server/upload/test_quota.c
%C%_msg_server_upload_test_quota_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_upload_key
%C%_msg_server_upload_test_upload_key_SOURCES = %D%/msg_server/upload/test_upload_key.c
%C%_msg_server_upload_test_upload_key_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/msg_server/upload/test_store
%C%_msg_server_upload_test_store_SOURCES = %D%/msg_server/upload/test_store.c \
	%D%/shared/net/fixture.h
%C%_msg_server_upload_test_store_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
unit_tests += %D%/shared/net/test_sync
%C%_shared_net_test_sync_SOURCES = %D%/shared/net/test_sync.c %D%/shared/net/fixture.h
%C%_shared_net_test_sync_LDADD = $(unit_ldadd)
unit_tests += %D%/shared/svc/test_httpd_stream
%C%_shared_svc_test_httpd_stream_SOURCES = %D%/shared/svc/test_httpd_stream.c \
	%D%/shared/svc/httpd_fixture.h %D%/shared/net/fixture.h
%C%_shared_svc_test_httpd_stream_LDADD = $(unit_ldadd)
