# banquet_online_store(<name> [DEPS <targets>...])
#
# The one line that adds an online store: builds src/banquet/online/<name> as a library, its *_test.cc as
# online_<name>_test against the store contract, and lists <name>::MakeStore among the products (builtin/).
# A missing library is an error, unless -DBANQUET_WITHOUT=<name>;… says so aloud.
function(banquet_online_store name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(name IN_LIST BANQUET_WITHOUT)
    message(STATUS "online store '${name}' left out by BANQUET_WITHOUT")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_library(banquet_online_${name} STATIC ${sources})
  target_link_libraries(banquet_online_${name} PUBLIC banquet_online PRIVATE ${ARG_DEPS} banquet_warnings)
  set_property(GLOBAL APPEND PROPERTY BANQUET_ONLINE_STORES ${name})
  banquet_tests(online_${name} SOURCES ${tests} DEPS banquet_online_${name} banquet_online_contract ${ARG_DEPS})
endfunction()
