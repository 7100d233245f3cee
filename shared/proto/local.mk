shared_libshared_a_SOURCES +=
