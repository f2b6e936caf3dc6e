# Warnings, sanitizers and hardening for our own targets: link banquet_warnings privately.
add_library(banquet_warnings INTERFACE)
target_compile_options(banquet_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -Wno-restrict  # g++ 12 sees overlapping copies in std::string operator+ that are not there (GCC bug 105329).
  -Wno-missing-field-initializers  # Designated initializers name what differs from the defaults.
  -fstack-protector-strong)
if(BANQUET_SANITIZE)
  target_compile_options(banquet_warnings INTERFACE -fsanitize=${BANQUET_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(banquet_warnings INTERFACE -fsanitize=${BANQUET_SANITIZE})
  # g++ 12 sees phantom uninitialized values in std::variant and std::optional under sanitizers.
  target_compile_options(banquet_warnings INTERFACE -Wno-maybe-uninitialized)
else()
  target_compile_definitions(banquet_warnings INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
target_link_options(banquet_warnings INTERFACE -Wl,-z,relro,-z,now)

# For code whose speed nobody waits for (tests, the command line): under sanitizers it compiles in half the time.
set(BANQUET_QUICK_TO_COMPILE $<$<CONFIG:Debug>:-O0>)
