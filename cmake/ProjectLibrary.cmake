# project_library(NAME SOURCES file... [USES target...])
#
# A static library for one folder. USES is public: what a folder's headers mention, its users need too.
function(project_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES")
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC project_options ${arg_USES})
endfunction()

# project_program(NAME SOURCES file... USES target...)
#
# A program is a tiny main file and the library of its folder, so that tests can link all but main.
function(project_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE project_options ${arg_USES})
endfunction()
