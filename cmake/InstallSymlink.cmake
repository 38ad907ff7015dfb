# install_symlink(TARGET LINK)   LINK, below the prefix, leads to TARGET, a name beside it
function(install_symlink target link)
    get_filename_component(folder "${link}" DIRECTORY)
    get_filename_component(name "${link}" NAME)
    set(made "${CMAKE_BINARY_DIR}/links/${folder}")
    file(MAKE_DIRECTORY "${made}")
    file(CREATE_LINK "${target}" "${made}/${name}" SYMBOLIC)
    install(FILES "${made}/${name}" DESTINATION "${folder}")
endfunction()
