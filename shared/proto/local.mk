shared_libshared_a_SOURCES +=
shared_libshared_a_SOURCES += \
	shared/proto/json.c shared/proto/json.h \
	shared/proto/http.c shared/proto/http_text.c shared/proto/http.h \
	shared/proto/ws.c shared/proto/ws.h
