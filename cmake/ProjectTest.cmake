# Everything that tests anything is a CTest test: `ctest --preset dev` and scripts/test run the same list.

# project_unit_test(NAME [USES target...])   from NAME.c in the current folder, with cmocka
function(project_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE project_options ${arg_USES} PkgConfig::CMOCKA)
    target_compile_definitions(${name} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    add_test(NAME unit.${name} COMMAND ${name})
    set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
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
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
    add_test(NAME fuzz.${name} COMMAND ${target} ${arguments} "${corpus}")
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()

# project_python_tests(NAME FILE)   one pytest file that drives the built programs
function(project_python_tests name file)
    add_test(NAME integration.${name}
        COMMAND /usr/bin/python3 -m pytest -q -p no:cacheprovider "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    set_tests_properties(integration.${name} PROPERTIES
        LABELS integration
        TIMEOUT 600
        ENVIRONMENT "XENHEALTH_BIN=${CMAKE_BINARY_DIR}/bin;XENHEALTH_SOURCE=${CMAKE_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()
