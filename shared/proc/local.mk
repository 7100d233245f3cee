shared_libshared_a_SOURCES += \
	%D%/clock.c %D%/clock.h \
	%D%/conf.c %D%/conf.h \
	%D%/conf_file.c %D%/conf_file.h \
	%D%/conf_help.c %D%/conf_help.h \
	%D%/conf_reload.c %D%/conf_reload.h \
	%D%/conf_value.c %D%/conf_value.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/log.c %D%/log.h \
	%D%/stats.c %D%/stats.h
