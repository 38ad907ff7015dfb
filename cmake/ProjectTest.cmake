# Everything that tests anything is a CTest test: `ctest --preset dev` and scripts/test run the same list.

include(Memcheck)

# Of large sets of alike cases a run takes one in n (tests/integration/conftest.py). `scripts/test` runs the first two of
# these: the sanitizers see cases that the plain programs do not, and the other way round.
set(XENHEALTH_TEST_SHARE_FIRST 0)
if(XENHEALTH_VALGRIND)
    set(XENHEALTH_TEST_SHARE 12)
elseif(XENHEALTH_SANITIZERS)
    set(XENHEALTH_TEST_SHARE 6)
    set(XENHEALTH_TEST_SHARE_FIRST 1)
else()
    set(XENHEALTH_TEST_SHARE 3)
endif()

# project_test(NAME LABEL SECONDS COMMAND...)   what all kinds have in common
#
# The SECONDS only end what hangs: they are many times what a test needs, because a busy machine may take that long.
function(project_test name label seconds)
    memcheck_command(command ${name} ${ARGN})
    math(EXPR seconds "${seconds} * ${XENHEALTH_TEST_PATIENCE}")
    add_test(NAME ${name} COMMAND ${command})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${seconds}
        ENVIRONMENT "XENHEALTH_PATIENCE=${XENHEALTH_TEST_PATIENCE}")
endfunction()

# project_unit_test(NAME [USES target...])   from NAME.c in the current folder, with cmocka
function(project_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE project_options ${arg_USES} PkgConfig::CMOCKA)
    target_compile_definitions(${name} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    project_test(unit.${name} unit 600 ${MEMCHECK} $<TARGET_FILE:${name}>)
endfunction()

# project_fuzz_target(NAME [USES target...])
#
# fuzz_NAME.c defines LLVMFuzzerTestOneInput. Without libFuzzer a small driver replays tests/fuzz/corpus/NAME
# in every test run; with it (preset fuzz) the same program searches for new inputs.
function(project_fuzz_target name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
    set(target fuzz_${name})
    set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
    if(XENHEALTH_LIBFUZZER)
        add_executable(${target} ${target}.c)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        set(arguments -runs=0 -rss_limit_mb=1024 -timeout=10)
    else()
        add_executable(${target} ${target}.c fuzz_driver.c)
        set(arguments "")
    endif()
    target_link_libraries(${target} PRIVATE project_options ${arg_USES})
    # What a target asserts, it asserts in optimised builds as well: its code would test nothing else.
    target_compile_options(${target} PRIVATE -UNDEBUG)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
    project_test(fuzz.${name} fuzz 600 ${MEMCHECK} $<TARGET_FILE:${target}> ${arguments} "${corpus}")
endfunction()

# project_python_tests(NAME FILE [COST])
#
# One pytest file that drives the built programs. Those with the highest COST, seconds about, start first, so that no long one
# is left for the end.
function(project_python_tests name file)
    project_test(integration.${name} integration 1800
        /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    set_tests_properties(integration.${name} PROPERTIES ENVIRONMENT
        "XENHEALTH_BIN=${XENHEALTH_TEST_BIN};XENHEALTH_PATIENCE=${XENHEALTH_TEST_PATIENCE};XENHEALTH_SHARE=${XENHEALTH_TEST_SHARE};XENHEALTH_SHARE_FIRST=${XENHEALTH_TEST_SHARE_FIRST};XENHEALTH_SOURCE=${CMAKE_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
    if(ARGC GREATER 2)
        set_tests_properties(integration.${name} PROPERTIES COST ${ARGV2})
    endif()
endfunction()
