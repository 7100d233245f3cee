shared_libshared_a_SOURCES += \
	shared/net/addr.c shared/net/addr.h \
	shared/net/net.c shared/net/net.h \
	shared/net/conn.c shared/net/conn.h \
	shared/net/conn_priv.h shared/net/conn_queue.c \
	shared/net/listener.c shared/net/listener.h \
	shared/net/dial.c shared/net/dial.h \
	shared/net/timer.c shared/net/timer.h \
	shared/net/dgram.c shared/net/dgram.h \
	shared/net/sync.c shared/net/sync.h
