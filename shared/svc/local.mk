shared_libshared_a_SOURCES +=
shared_libshared_a_SOURCES += \
	shared/svc/httpd.c shared/svc/httpd.h \
	shared/svc/httpd_find.c shared/svc/httpd_priv.h shared/svc/httpd_stream.c \
	shared/svc/admin.c shared/svc/admin.h

shared_libshared_a_SOURCES += \
	shared/svc/topology.c shared/svc/topology.h \
	shared/svc/topology_file.c shared/svc/topology_json.c

shared_libshared_a_SOURCES += \
	shared/svc/linkconn.c shared/svc/linkconn.h
