# banquet_offline_store(<name> [DEPS <targets>...])
#
# The one line that adds an offline store: called from src/banquet/offline/<name>, it builds the folder as a library
# with its tests and lists it among the products.
function(banquet_offline_store name)
  banquet_folder(offline/${name} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY BANQUET_OFFLINE_STORES ${name})
endfunction()
