# Every target of the project links project_options: it is the only place where compiler flags are set.
add_library(project_options INTERFACE)

target_include_directories(project_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(project_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(project_options INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2
    -Wvla -Wimplicit-fallthrough -Wundef -Wpointer-arith -Wmissing-declarations
    -Walloca -Wno-format-truncation -fno-common -fstack-protector-strong
    "-include${CMAKE_SOURCE_DIR}/common/banned.h")

if(XENHEALTH_WERROR)
    target_compile_options(project_options INTERFACE -Werror)
endif()

if(XENHEALTH_ANALYZER AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(project_options INTERFACE -fanalyzer)
endif()

if(XENHEALTH_SANITIZERS)
    target_compile_options(project_options INTERFACE
        "-fsanitize=${XENHEALTH_SANITIZERS}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(project_options INTERFACE "-fsanitize=${XENHEALTH_SANITIZERS}")
else()
    # The sanitizers bring their own checks and do not go together with _FORTIFY_SOURCE.
    target_compile_options(project_options INTERFACE
        $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>
        $<$<CONFIG:Release,RelWithDebInfo>:-fstack-clash-protection>)
    target_link_options(project_options INTERFACE
        $<IF:$<BOOL:${XENHEALTH_STATIC}>,-static-pie,-pie> -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
