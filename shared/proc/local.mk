shared_libshared_a_SOURCES += \
	%D%/clock.c %D%/clock.h \
	%D%/log.c %D%/log.h \
	%D%/stats.c %D%/stats.h
