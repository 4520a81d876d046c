// Chooses the copy of the kernels for this processor, once.
#include <cstdlib>
#include <cstring>

#include "common/kernels.h"

namespace invgraph {

namespace baseline { extern const KernelTable table; }
#ifdef INVGRAPH_X86
namespace avx2 { extern const KernelTable table; }
namespace avx512 { extern const KernelTable table; }
#endif

namespace {
struct Choice {
    const KernelTable* table;
    const char* isa;
};

Choice choose() {
#ifdef INVGRAPH_X86
    const char* asked = std::getenv("INVGRAPH_ISA");
    auto allowed = [&](const char* isa) { return !asked || !*asked || std::strcmp(asked, isa) == 0; };
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (v4 && allowed("avx512")) return {&avx512::table, "avx512"};
    if (v3 && allowed("avx2")) return {&avx2::table, "avx2"};
#endif
    return {&baseline::table, "baseline"};
}

const Choice& choice() {
    static const Choice chosen = choose();
    return chosen;
}
}  // namespace

const KernelTable& kernel_table() { return *choice().table; }
const char* kernel_isa() { return choice().isa; }

}  // namespace invgraph
