shared_libshared_a_SOURCES += \
	%D%/err.c %D%/err.h \
	%D%/str.c %D%/str.h \
	%D%/buf.c %D%/buf.h \
	%D%/blob.c %D%/blob.h \
	%D%/map.c %D%/map.h \
	%D%/table.c %D%/table.h \
	%D%/slab.c %D%/slab.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/digest.c %D%/digest.h %D%/seal.c %D%/seal.h %D%/sip.c %D%/sip.h \
	%D%/id.c %D%/id.h
