// The store of each thread: a few blocks, so bounded that no one notices them.
#include "common/scratch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace invgraph {
namespace {

constexpr int kBlocks = 16;
constexpr size_t kKept = size_t{16} << 20;  // bytes in all
constexpr size_t kAlign = 64;

// Before the memory of each block, and as long as its alignment.
struct alignas(kAlign) Head {
    size_t bytes;
};

struct Store {
    Head* blocks[kBlocks] = {};
    size_t kept = 0;
    int next = 0;  // where to look first for what to give up

    // Gives up others where there is no room for all.
    void keep(Head* block) {
        Head** place = std::find(blocks, blocks + kBlocks, nullptr);
        for (; place == blocks + kBlocks || kept + block->bytes > kKept; next = (next + 1) % kBlocks) {
            if (!blocks[next]) continue;
            place = blocks + next;
            kept -= (*place)->bytes;
            std::free(*place);
            *place = nullptr;
        }
        kept += block->bytes;
        *place = block;
    }

    ~Store() {
        for (Head* block : blocks) std::free(block);
    }
};

Store& store() {
    thread_local Store mine;
    return mine;
}

}  // namespace

void* take_scratch(size_t bytes) {
    Store& from = store();
    Head** best = nullptr;  // the smallest that is large enough, but not so large that a greater need would miss it
    for (Head*& block : from.blocks)
        if (block && block->bytes >= bytes && block->bytes / 4 <= bytes && (!best || block->bytes < (*best)->bytes))
            best = &block;
    if (best) {
        Head* block = *best;
        *best = nullptr;
        from.kept -= block->bytes;
        return block + 1;
    }
    const size_t rounded = (bytes / kAlign + 1) * kAlign;
    if (rounded < bytes) throw std::bad_alloc();
    void* memory = nullptr;
#if defined(_WIN32)
    memory = std::malloc(rounded + sizeof(Head));
#else
    if (posix_memalign(&memory, kAlign, rounded + sizeof(Head)) != 0) memory = nullptr;
#endif
    if (!memory) throw std::bad_alloc();
    Head* block = static_cast<Head*>(memory);
    block->bytes = rounded;
    return block + 1;
}

void give_scratch(void* memory) noexcept {
    if (!memory) return;
    Head* block = static_cast<Head*>(memory) - 1;
    if (block->bytes > kKept / 2) return std::free(block);
    store().keep(block);
}

}  // namespace invgraph
