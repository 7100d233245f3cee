## libshared.a: what the three daemons have in common, floor by floor.
noinst_LIBRARIES += %D%/libshared.a
%C%_libshared_a_SOURCES =

EXTRA_DIST += %D%/SCALING.md %D%/HTTP.md %D%/OLD_SYSTEMS.md %D%/nginx/cchat.conf

include shared/base/local.mk
include shared/proc/local.mk
include shared/net/local.mk
include shared/proto/local.mk
include shared/svc/local.mk
