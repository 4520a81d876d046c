# The CUDA kernels, as a module of their own: invgraph imports it when it meets the first CUDA tensor. The CUDA runtime is
# linked statically, so that the module loads (and says what is missing) on machines without a driver.
#
# INVGRAPH_CUDA, a CMake or environment variable: auto (if a CUDA compiler is found), on (fails without one), off.
set(INVGRAPH_CUDA "" CACHE STRING "CUDA kernels: auto, on, off; empty: the environment's INVGRAPH_CUDA, or auto")
set(CUDA_WANTED "${INVGRAPH_CUDA}")
if(CUDA_WANTED STREQUAL "")
  set(CUDA_WANTED "$ENV{INVGRAPH_CUDA}")
endif()
if(CUDA_WANTED STREQUAL "")
  set(CUDA_WANTED auto)
endif()
string(TOLOWER "${CUDA_WANTED}" CUDA_WANTED)
if(NOT CUDA_WANTED MATCHES "^(auto|on|off)$")
  message(FATAL_ERROR "INVGRAPH_CUDA: expected auto, on or off, got ${CUDA_WANTED}")
endif()
if(CUDA_WANTED STREQUAL "off")
  return()
endif()

# Ampere and Ada run sm_80's code, Hopper its own; Turing and everything after Hopper compile the PTX on first use. Each
# more costs a third of the build. Another choice: CMAKE_CUDA_ARCHITECTURES, or CUDAARCHS in the environment.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 75-virtual 80-real 90-real)
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(CUDA_WANTED STREQUAL "on")
    message(FATAL_ERROR "INVGRAPH_CUDA=on, but no CUDA compiler works here: put nvcc (11.8 or later) on PATH, or name "
                        "it by CUDACXX")
  endif()
  message(STATUS "CUDA kernels: not built, no CUDA compiler found (INVGRAPH_CUDA=on would insist)")
  return()
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA kernels: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

add_library(kernels_cuda OBJECT
            csrc/cuda/bins.cu
            csrc/cuda/gather.cu
            csrc/soft_silhouette/soft_silhouette.cu
            csrc/soft_color/soft_color.cu
            csrc/soft_outline/outline.cu
            csrc/soft_outline/soft_outline.cu
            csrc/rasterize/rasterize.cu
            csrc/interpolate/interpolate.cu
            csrc/antialias/antialias.cu)
set_target_properties(kernels_cuda PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON)
target_include_directories(kernels_cuda PRIVATE csrc)
target_compile_definitions(kernels_cuda PRIVATE INVGRAPH_ISA=cuda_kernels)
target_compile_options(kernels_cuda PRIVATE --expt-relaxed-constexpr)
if(NOT MSVC)
  target_compile_options(kernels_cuda PRIVATE -Xcompiler=-fvisibility=hidden)
endif()
# which edge wins a gap is decided by comparing distances that several threads compute: no rounding of its own for each
set_source_files_properties(csrc/antialias/antialias.cu PROPERTIES COMPILE_OPTIONS --fmad=false)

nanobind_add_module(_native_cuda STABLE_ABI NB_STATIC csrc/cuda/module.cpp $<TARGET_OBJECTS:kernels_cuda>)
set_target_properties(_native_cuda PROPERTIES LINKER_LANGUAGE CXX)
target_include_directories(_native_cuda PRIVATE csrc)
target_compile_definitions(_native_cuda PRIVATE INVGRAPH_CUDA_MODULE=_native_cuda INVGRAPH_ISA=cuda_kernels)
target_link_libraries(_native_cuda PRIVATE CUDA::cudart_static)
install(TARGETS _native_cuda LIBRARY DESTINATION invgraph/ops)
