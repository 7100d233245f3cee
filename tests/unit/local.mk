## Unit tests mirror the tree: tests/unit/shared/base/test_buf.c tests shared/base/buf.
## A test is three lines here: its name in unit_tests, its _SOURCES, its _LDADD.
unit_tests =
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

unit_tests += %D%/msg_server/test_channel
%C%_msg_server_test_channel_SOURCES = %D%/msg_server/test_channel.c
%C%_msg_server_test_channel_LDADD = msg_server/libmsg_server.a $(unit_ldadd)
