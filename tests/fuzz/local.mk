## Fuzz targets: libFuzzer with --enable-fuzzing, else replay.c eats the corpus in `make check`.
fuzz_tests =
check_PROGRAMS += $(fuzz_tests)
if FUZZING
fuzz_ldflags = -fsanitize=fuzzer
fuzz_replay =
else
fuzz_ldflags =
fuzz_replay = tests/fuzz/replay.c
TESTS += $(fuzz_tests)
endif

fuzz_tests += %D%/fuzz_http
%C%_fuzz_http_SOURCES = %D%/fuzz_http.c $(fuzz_replay)
%C%_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_http_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_json
%C%_fuzz_json_SOURCES = %D%/fuzz_json.c $(fuzz_replay)
%C%_fuzz_json_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_json_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_ws
%C%_fuzz_ws_SOURCES = %D%/fuzz_ws.c $(fuzz_replay)
%C%_fuzz_ws_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_ws_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_utf8
%C%_fuzz_utf8_SOURCES = %D%/fuzz_utf8.c $(fuzz_replay)
%C%_fuzz_utf8_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_utf8_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_text
%C%_fuzz_text_SOURCES = %D%/fuzz_text.c $(fuzz_replay)
%C%_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_text_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_conf
%C%_fuzz_conf_SOURCES = %D%/fuzz_conf.c $(fuzz_replay)
%C%_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_conf_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_link
%C%_fuzz_link_SOURCES = %D%/fuzz_link.c $(fuzz_replay)
%C%_fuzz_link_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_link_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_frames
%C%_fuzz_frames_SOURCES = %D%/fuzz_frames.c $(fuzz_replay)
%C%_fuzz_frames_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_frames_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_topology
%C%_fuzz_topology_SOURCES = %D%/fuzz_topology.c $(fuzz_replay)
%C%_fuzz_topology_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_topology_LDADD = $(shared_libs)
EXTRA_DIST += %D%/corpus %D%/fuzz.h

fuzz_tests += %D%/fuzz_dialect_cchat
%C%_fuzz_dialect_cchat_SOURCES = %D%/fuzz_dialect_cchat.c $(fuzz_replay)
%C%_fuzz_dialect_cchat_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_dialect_cchat_LDADD = msg_server/libmsg_server.a $(shared_libs)

fuzz_tests += %D%/fuzz_api
%C%_fuzz_api_SOURCES = %D%/fuzz_api.c $(fuzz_replay)
%C%_fuzz_api_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_api_LDADD = msg_server/libmsg_server.a $(shared_libs)
fuzz_tests += %D%/fuzz_auth
%C%_fuzz_auth_SOURCES = %D%/fuzz_auth.c $(fuzz_replay)
%C%_fuzz_auth_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_auth_LDADD = msg_server/libmsg_server.a $(shared_libs)
fuzz_tests += %D%/fuzz_move_key
%C%_fuzz_move_key_SOURCES = %D%/fuzz_move_key.c $(fuzz_replay)
%C%_fuzz_move_key_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_move_key_LDADD = msg_server/libmsg_server.a $(shared_libs)
fuzz_tests += %D%/fuzz_drain
%C%_fuzz_drain_SOURCES = %D%/fuzz_drain.c $(fuzz_replay)
%C%_fuzz_drain_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_drain_LDADD = config_server/libconfig_server.a $(shared_libs) $(SQLITE_LIBS)
fuzz_tests += %D%/fuzz_php
%C%_fuzz_php_SOURCES = %D%/fuzz_php.c $(fuzz_replay)
%C%_fuzz_php_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_php_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_push
%C%_fuzz_push_SOURCES = %D%/fuzz_push.c $(fuzz_replay)
%C%_fuzz_push_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_push_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_gateway
%C%_fuzz_gateway_SOURCES = %D%/fuzz_gateway.c $(fuzz_replay)
%C%_fuzz_gateway_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_gateway_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_dialect_meteor
%C%_fuzz_dialect_meteor_SOURCES = %D%/fuzz_dialect_meteor.c $(fuzz_replay)
%C%_fuzz_dialect_meteor_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_dialect_meteor_LDADD = msg_server/libmsg_server.a $(shared_libs)
fuzz_tests += %D%/fuzz_dialect_workerman
%C%_fuzz_dialect_workerman_SOURCES = %D%/fuzz_dialect_workerman.c $(fuzz_replay)
%C%_fuzz_dialect_workerman_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_dialect_workerman_LDADD = msg_server/libmsg_server.a $(shared_libs)

fuzz_tests += %D%/fuzz_dialect_webim
%C%_fuzz_dialect_webim_SOURCES = %D%/fuzz_dialect_webim.c $(fuzz_replay)
%C%_fuzz_dialect_webim_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_dialect_webim_LDADD = msg_server/libmsg_server.a $(shared_libs)
## sok's clients, datagrams and imports
fuzz_tests += %D%/fuzz_sok
%C%_fuzz_sok_SOURCES = %D%/fuzz_sok.c $(fuzz_replay)
%C%_fuzz_sok_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_sok_LDADD = msg_server/libmsg_server.a config_server/libcchatctl.a \
	$(shared_libs)
fuzz_tests += %D%/fuzz_datagram
%C%_fuzz_datagram_SOURCES = %D%/fuzz_datagram.c $(fuzz_replay)
%C%_fuzz_datagram_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_datagram_LDADD = msg_server/libmsg_server.a $(shared_libs)

fuzz_tests += %D%/fuzz_multipart
%C%_fuzz_multipart_SOURCES = %D%/fuzz_multipart.c $(fuzz_replay)
%C%_fuzz_multipart_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_multipart_LDADD = $(shared_libs)
fuzz_tests += %D%/fuzz_upload
%C%_fuzz_upload_SOURCES = %D%/fuzz_upload.c $(fuzz_replay)
%C%_fuzz_upload_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
%C%_fuzz_upload_LDADD = msg_server/libmsg_server.a $(shared_libs)
