# One imported target a library. docs/architecture.md says why each is there and which program it costs.
find_package(PkgConfig REQUIRED)
if(XENHEALTH_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(PKG_CONFIG_ARGN --static) # also what the libraries themselves need
    # libarchive's list of all formats names the writer of xar, which we never call, and which would bring libxml2 and
    # 30 MB of ICU.
    add_link_options(-Wl,--defsym=archive_write_set_format_xar=archive_write_set_format_gnutar)
endif()
find_package(Threads REQUIRED)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive>=3.4)
pkg_check_modules(LIBYAML REQUIRED IMPORTED_TARGET yaml-0.1>=0.2.2)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat>=2.4)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.12)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.38)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8>=10.32)
pkg_check_modules(HYPERSCAN REQUIRED IMPORTED_TARGET libhs>=5.4)
# Vectorscan has the same interface and the versions from 5.4.3 on; those of them before 5.4.12 miss matches on x86
# (unit.test_engine shows it).
if(HYPERSCAN_VERSION VERSION_GREATER 5.4.2 AND HYPERSCAN_VERSION VERSION_LESS 5.4.12)
    message(FATAL_ERROR "libhs ${HYPERSCAN_VERSION} is a Vectorscan that misses matches: install Hyperscan (Debian: libhyperscan-dev)")
endif()
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.4)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib>=1.2.11)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka>=1.1)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=1.1.1)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl>=1.1.1)
if(NOT XENHEALTH_STATIC)
    pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.87) # the first with CURLOPT_QUICK_EXIT
endif()
find_library(BZIP2_LIBRARY bz2 REQUIRED)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma>=5.2)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)
# Faster than zlib, and not everywhere.
if(XENHEALTH_FAST_DEFLATE)
    pkg_check_modules(ISAL IMPORTED_TARGET libisal>=2.28)
    pkg_check_modules(LIBDEFLATE IMPORTED_TARGET libdeflate>=1.7)
endif()
