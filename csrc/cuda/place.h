// Where kernels run.
#pragma once

#include <cstdint>

namespace invgraph {
namespace cuda {

// The caller's device and stream.
struct Place {
    int device;
    std::uintptr_t stream;  // a cudaStream_t
};

}  // namespace cuda
}  // namespace invgraph
