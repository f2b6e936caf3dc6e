# The only file that finds third parties, and the one seam for where Arrow comes from. docs/dependencies.md says why each.

# --- Arrow: a system package where CMake finds one, else the pinned pyarrow wheel that scripts/bootstrap unpacks ------
set(BANQUET_ARROW_WHEEL_DIR ${CMAKE_SOURCE_DIR}/build/deps/arrow CACHE PATH "Unzipped pyarrow wheel")
find_package(Arrow CONFIG QUIET)
if(Arrow_FOUND)
  find_package(Parquet CONFIG REQUIRED)
  find_package(ArrowCompute CONFIG QUIET)
  add_library(banquet_arrow INTERFACE)
  target_link_libraries(banquet_arrow INTERFACE Arrow::arrow_shared)
  if(ArrowCompute_FOUND)
    target_link_libraries(banquet_arrow INTERFACE ArrowCompute::arrow_compute_shared)
  endif()
  add_library(banquet_parquet INTERFACE)
  target_link_libraries(banquet_parquet INTERFACE Parquet::parquet_shared banquet_arrow)
  message(STATUS "Arrow ${Arrow_VERSION} from the system")
else()
  set(wheel ${BANQUET_ARROW_WHEEL_DIR}/pyarrow)
  if(NOT EXISTS ${wheel}/include/arrow/util/config.h)
    message(FATAL_ERROR "No system Arrow and no pyarrow wheel in ${BANQUET_ARROW_WHEEL_DIR}; run scripts/bootstrap build")
  endif()
  file(STRINGS ${wheel}/include/arrow/util/config.h lines REGEX "ARROW_(VERSION_STRING|SO_VERSION) ")
  string(REGEX MATCH "ARROW_SO_VERSION \"([0-9]+)\"" _ "${lines}")
  set(so_version ${CMAKE_MATCH_1})
  string(REGEX MATCH "ARROW_VERSION_STRING \"([0-9.]+)\"" _ "${lines}")
  message(STATUS "Arrow ${CMAKE_MATCH_1} from the pyarrow wheel")
  # The wheel's libparquet exports a whole OpenSSL of its own. The system's must stand before it in every program, or
  # libssl, libcurl and libpq would call into that one (decision 0012).
  add_link_options(LINKER:--push-state,--no-as-needed -lssl -lcrypto LINKER:--pop-state)
  # Loaded when the first s3:// path is met, from beside libarrow.
  list(APPEND BANQUET_ARROW_LIBRARIES ${wheel}/libarrow_s3.so.${so_version})
  foreach(library arrow arrow_compute parquet)
    add_library(wheel_${library} SHARED IMPORTED)
    set_target_properties(wheel_${library} PROPERTIES
      IMPORTED_LOCATION ${wheel}/lib${library}.so.${so_version}
      IMPORTED_SONAME lib${library}.so.${so_version}
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${wheel}/include
      INTERFACE_INCLUDE_DIRECTORIES ${wheel}/include)
    list(APPEND BANQUET_ARROW_LIBRARIES ${wheel}/lib${library}.so.${so_version})  # Installed beside the command.
  endforeach()
  add_library(banquet_arrow INTERFACE)
  target_link_libraries(banquet_arrow INTERFACE wheel_arrow_compute wheel_arrow)
  add_library(banquet_parquet INTERFACE)
  target_link_libraries(banquet_parquet INTERFACE wheel_parquet banquet_arrow)
endif()

# --- ADBC's driver manager: built from the source archive that scripts/bootstrap unpacks ------------------------------
set(BANQUET_ADBC_DIR ${CMAKE_SOURCE_DIR}/build/deps/adbc/adbc_driver_manager CACHE PATH "Sources of ADBC's driver manager")
if(NOT EXISTS ${BANQUET_ADBC_DIR}/arrow-adbc/adbc.h)
  message(FATAL_ERROR "No sources of ADBC's driver manager in ${BANQUET_ADBC_DIR}; run scripts/bootstrap build")
endif()
add_library(banquet_adbc_manager STATIC
  ${BANQUET_ADBC_DIR}/adbc_driver_manager.cc
  ${BANQUET_ADBC_DIR}/adbc_driver_manager_api.cc
  ${BANQUET_ADBC_DIR}/adbc_driver_manager_driver_loading.cc
  ${BANQUET_ADBC_DIR}/adbc_driver_manager_profiles.cc)
target_include_directories(banquet_adbc_manager SYSTEM PUBLIC ${BANQUET_ADBC_DIR})
target_link_libraries(banquet_adbc_manager PUBLIC ${CMAKE_DL_LIBS})
set_target_properties(banquet_adbc_manager PROPERTIES POSITION_INDEPENDENT_CODE ON)

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Protobuf REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)  # libpq
find_package(CURL REQUIRED)

find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h REQUIRED)
find_library(HIREDIS_LIBRARY hiredis REQUIRED)
add_library(banquet_hiredis INTERFACE)
target_include_directories(banquet_hiredis SYSTEM INTERFACE ${HIREDIS_INCLUDE_DIR})
target_link_libraries(banquet_hiredis INTERFACE ${HIREDIS_LIBRARY})

find_path(MARIADB_INCLUDE_DIR mysql.h PATH_SUFFIXES mariadb mysql REQUIRED)
find_library(MARIADB_LIBRARY NAMES mariadb mysqlclient REQUIRED)
add_library(banquet_mariadb INTERFACE)
target_include_directories(banquet_mariadb SYSTEM INTERFACE ${MARIADB_INCLUDE_DIR})
target_link_libraries(banquet_mariadb INTERFACE ${MARIADB_LIBRARY})

if(BANQUET_UNIT_TESTS)
  find_package(GTest REQUIRED)
endif()

if(BANQUET_BENCHES)
  find_package(benchmark REQUIRED)
endif()
