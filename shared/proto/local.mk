shared_libshared_a_SOURCES +=
shared_libshared_a_SOURCES += \
	shared/proto/json.c shared/proto/json.h \
	shared/proto/http.c shared/proto/http_text.c shared/proto/http.h \
	shared/proto/ws.c shared/proto/ws.h \
	shared/proto/wire.c shared/proto/wire.h \
	shared/proto/fields.c shared/proto/fields.h \
	shared/proto/link.c shared/proto/link.h \
	shared/proto/frames.c shared/proto/frames_log.c \
	shared/proto/frames_pres.c shared/proto/frames_state.c \
	shared/proto/frames_topo.c \
	shared/proto/frames.h shared/proto/frames_state.h \
	shared/proto/frames_priv.h
shared_libshared_a_SOURCES += shared/proto/php.c shared/proto/php.h
shared_libshared_a_SOURCES += shared/proto/push.c shared/proto/push.h
shared_libshared_a_SOURCES += shared/proto/gateway.c shared/proto/gateway.h
shared_libshared_a_SOURCES += shared/proto/multipart.c shared/proto/multipart.h
