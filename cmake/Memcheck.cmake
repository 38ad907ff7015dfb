# Running the tests under valgrind (preset valgrind): XENHEALTH_VALGRIND.
#
# memcheck_program(TARGET)         tests that start TARGET by its path start it under valgrind: a launcher of the
#                                  same name in XENHEALTH_TEST_BIN, which is where they look
# memcheck_command(OUT NAME ...)   the command of test NAME, told to look at what valgrind says
if(XENHEALTH_VALGRIND)
    find_program(VALGRIND valgrind REQUIRED)
    if(XENHEALTH_SANITIZERS)
        message(FATAL_ERROR "valgrind and sanitizers do not go together")
    endif()
    set(XENHEALTH_TEST_BIN "${CMAKE_BINARY_DIR}/bin-memcheck")
    set(XENHEALTH_TEST_PATIENCE 20) # how many times longer a test may take
    set(MEMCHECK "${CMAKE_SOURCE_DIR}/tests/valgrind/memcheck")
else()
    set(XENHEALTH_TEST_BIN "${CMAKE_BINARY_DIR}/bin")
    set(XENHEALTH_TEST_PATIENCE 1)
    set(MEMCHECK "")
endif()

function(memcheck_program target)
    if(XENHEALTH_VALGRIND)
        file(CONFIGURE OUTPUT "${XENHEALTH_TEST_BIN}/${target}" CONTENT
"#!/bin/sh
exec @MEMCHECK@ @CMAKE_RUNTIME_OUTPUT_DIRECTORY@/@target@ \"\$@\"
" @ONLY)
        file(CHMOD "${XENHEALTH_TEST_BIN}/${target}" PERMISSIONS
            OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    endif()
endfunction()

function(memcheck_command out name)
    if(XENHEALTH_VALGRIND)
        set(${out} "${CMAKE_SOURCE_DIR}/tests/valgrind/run-test" "${CMAKE_BINARY_DIR}/memcheck/${name}" ${ARGN} PARENT_SCOPE)
    else()
        set(${out} ${ARGN} PARENT_SCOPE)
    endif()
endfunction()
