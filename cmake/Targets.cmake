# SPDX-License-Identifier: MIT
# How every idzone target is compiled: warnings are errors, includes start at the project's root.
add_library(idzone_options INTERFACE)
target_include_directories(idzone_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(idzone_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                -Wnon-virtual-dtor -Werror -fno-omit-frame-pointer)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(idzone_options INTERFACE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()
if(IDZONE_SANITIZE)
  target_compile_options(idzone_options INTERFACE -fsanitize=${IDZONE_SANITIZE} -fno-sanitize-recover=all)
  # g++ 12 sees uninitialized members of std::variant where sanitizers split the code.
  target_compile_options(idzone_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(idzone_options INTERFACE -fsanitize=${IDZONE_SANITIZE})
endif()
if(IDZONE_FUZZ)
  # clang warns of other things than g++, whose warnings are the ones that count.
  target_compile_options(idzone_options INTERFACE -fsanitize=fuzzer-no-link -w)
endif()

# idzone_library(NAME SOURCES… DEPENDS …): a static library of this project.
function(idzone_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC idzone_options ${ARG_DEPENDS})
endfunction()

# idzone_program(NAME SOURCES… DEPENDS …): an executable in build/<preset>/bin.
function(idzone_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE idzone_options ${ARG_DEPENDS})
endfunction()

# idzone_test(NAME SOURCES… DEPENDS …): a GoogleTest program, run by ctest.
function(idzone_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE idzone_options GTest::gtest GTest::gtest_main GTest::gmock ${ARG_DEPENDS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
